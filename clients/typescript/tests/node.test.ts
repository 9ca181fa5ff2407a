// Clients over real sockets, on ports of their own: how they are made, and how connections end.
import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Code } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { afterEach, expect, test } from "vitest";
import { CanceledError, ConfigurationError, UnavailableError } from "../src/errors.js";
import { QueryService } from "../src/gen/tandem/v1/query_pb.js";
import * as node from "../src/node.js";
import * as web from "../src/web.js";
import { failure, type Script } from "./ground.js";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function listening(server: Server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An address where connections are taken, and then what `then` does. */
function sockets(then: (socket: Socket) => void): Promise<string> {
  return listening(
    createServer((socket) => {
      socket.on("error", () => {});
      ends.push(() => socket.destroy());
      then(socket);
    }),
  );
}

function serving(script: Script): Promise<string> {
  const routes = connectNodeAdapter({ routes: (router) => router.service(QueryService, script) });
  return listening(http2.createServer(routes));
}

/** Time for the pause before a second try (300 ms at most), but not before a third. */
const TWO_TRIES_MS = 590;

const both = [
  ["gRPC", node.connect],
  ["gRPC-Web", web.connect],
] as const;

test.each(both)("a connection that breaks is UNAVAILABLE, over %s", async (_, connect) => {
  const address = await sockets((socket) => socket.once("data", () => socket.destroy()));
  const client = connect({ command: address, query: [address], timeoutMs: TWO_TRIES_MS });
  const error = await failure(client.queries.getCustomer({}));
  expect(error).toBeInstanceOf(UnavailableError);
  expect((error as Error).message).toContain(`GetCustomer: the connection to ${address}`);
  client.close();
});

test.each(both)("so is an answer that ends within a message, over %s", async (_, connect) => {
  const routes = (
    request: http.IncomingMessage | http2.Http2ServerRequest,
    response: http.ServerResponse | http2.Http2ServerResponse,
  ) => {
    response.writeHead(200, { "content-type": request.headers["content-type"] });
    response.end(new Uint8Array([0, 0, 0, 0, 9, 1]));
  };
  const server = connect === node.connect ? http2.createServer(routes) : http.createServer(routes);
  const address = await listening(server);
  const client = connect({ command: address, query: [address], timeoutMs: TWO_TRIES_MS });
  const watch = client.queries.watchRouting({})[Symbol.asyncIterator]();
  for (const error of [
    await failure(client.queries.getCustomer({})),
    await failure(watch.next()),
  ]) {
    expect(error).toBeInstanceOf(UnavailableError);
    expect((error as Error).message).toContain(`the connection to ${address} broke`);
  }
  client.close();
});

test.each(both)("closing ends calls under way and watches, over %s", async (_, connect) => {
  const address = await sockets(() => {});
  const client = connect({ command: address, query: [address] });
  const call = failure(client.session().getCustomer({ customerId: "c" }));
  const document = client.session().watchCustomerOrders({ customerId: "c" }).next();
  await new Promise((resolve) => setTimeout(resolve, 30));
  client.close();
  expect(await call).toBeInstanceOf(CanceledError);
  expect(await document).toEqual({ done: true, value: undefined });
});

test.each(both)("closing ends calls that wait for a token, over %s", async (_, connect) => {
  let connections = 0;
  const address = await sockets(() => connections++);
  let come = (_: string) => {};
  const token = () =>
    new Promise<string>((resolve) => {
      come = resolve;
    });
  const client = connect({ command: address, query: [address], tls: true, token });
  const call = failure(client.session().getCustomer({ customerId: "c" }));
  await new Promise((resolve) => setTimeout(resolve, 10));
  client.close();
  expect(await call).toBeInstanceOf(CanceledError);
  come("t");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(connections).toBe(0);
});

test("a watch over gRPC-Web ends though its request was collected as garbage", async () => {
  const script: Script = {
    async *watchCustomerOrders(_, { signal }) {
      yield {};
      await once(signal, "abort");
    },
    getCustomer: () => ({}),
  };
  const routes = connectNodeAdapter({ routes: (router) => router.service(QueryService, script) });
  const address = await listening(http.createServer(routes));
  const session = web.connect({ command: address, query: [address] }).session();
  const watch = session.watchCustomerOrders({});
  expect((await watch.next()).done).toBe(false);
  const document = watch.next();
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 10; i++) await session.getCustomer({});
  collect();
  await new Promise((resolve) => setTimeout(resolve, 5));
  collect();
  await watch.return();
  expect(await document).toEqual({ done: true, value: undefined });
});

test("the service is given the whole deadline", async () => {
  const deadlines: (string | null)[] = [];
  const address = await serving({
    getCustomer: (_, { requestHeader }) => {
      deadlines.push(requestHeader.get("grpc-timeout"));
      return {};
    },
    async *watchRouting(_, { requestHeader }) {
      deadlines.push(requestHeader.get("grpc-timeout"));
      yield {};
    },
  });
  const client = node.connect({ command: address, query: [address] });
  await client.session().getCustomer({ customerId: "c" }, { timeoutMs: 4_321.5 });
  for (const timeoutMs of [4_321.5, 1e12])
    for await (const _ of client.queries.watchRouting({}, { timeoutMs }));
  expect(deadlines).toEqual(["4322m", "4322m", "99999999m"]);
  client.close();
});

test.each(both)("what is wrong with a client is told when it is made, over %s", (_, connect) => {
  const good = { command: "127.0.0.1:1", query: ["[::1]:2", "query.example:65535"] };
  connect(good).close();
  const bad: [web.WebOptions, RegExp][] = [
    [{ ...good, command: "http://127.0.0.1:1" }, /host:port/],
    [{ ...good, command: "127.0.0.1" }, /host:port/],
    [{ ...good, command: "127.0.0.1:0" }, /host:port/],
    [{ ...good, command: "127.0.0.1:65536" }, /host:port/],
    [{ ...good, query: ["no host:80"] }, /host:port/],
    ...["a<b:80", "a\\b:80", "h%zz:80", "[:::::]:80", "999.1.1.1:80"].map(
      (address): [web.WebOptions, RegExp] => [{ ...good, query: [address] }, /host:port/],
    ),
    [{ ...good, query: [] }, /query/],
    [{ ...good, query: "127.0.0.1:1" as unknown as string[] }, /query/],
    [{ ...good, token: "secret" }, /TLS/],
    [{ ...good, token: () => "secret", tls: false }, /TLS/],
    [{ ...good, token: "two\nlines", tls: true }, /token/],
    [{ ...good, token: "line\n", tls: true }, /token/],
    [{ ...good, token: "", tls: true }, /token/],
    [{ ...good, token: " led by a space", tls: true }, /token/],
    [{ ...good, token: null as unknown as string, tls: true }, /token/],
    [{ ...good, timeoutMs: 0 }, /timeoutMs/],
  ];
  for (const [options, message] of bad) {
    expect(() => connect(options)).toThrow(ConfigurationError);
    expect(() => connect(options)).toThrow(message);
  }
});

test.each(both)("a token that can't be fetched is not tried again, over %s", async (_, connect) => {
  const address = "127.0.0.1:1";
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  let fetched = 0;
  const token = async () => {
    fetched++;
    throw new TypeError("fetch failed", { cause: refused });
  };
  const client = connect({ command: address, query: [address], tls: true, token });
  const session = client.session();
  const calls = [
    session.getCustomer({ customerId: "c" }),
    session.watchCustomerOrders({ customerId: "c" }).next(),
  ];
  for (const error of await Promise.all(calls.map(failure)))
    expect(error).toMatchObject({
      code: Code.Unauthenticated,
      rawMessage: expect.stringContaining("the token could not be fetched: fetch failed"),
    });
  expect(fetched).toBe(2);
  client.close();
});

test("certificates that are none are told when a client is made", () => {
  for (const tls of [{ cert: "x" }, { ca: "ca.pem" }, { ca: [Buffer.from("nonsense")] }]) {
    const options = { command: "127.0.0.1:1", query: ["127.0.0.1:1"], tls };
    expect(() => node.connect(options)).toThrow(ConfigurationError);
    const inBrowsers = options as unknown as web.WebOptions;
    expect(() => web.connect(inBrowsers)).toThrow(ConfigurationError);
  }
});
