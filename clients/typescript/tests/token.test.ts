// A token goes out as it is, and what is none goes nowhere, not even into a message.
import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { QueryService } from "../src/gen/tandem/v1/query_pb.js";
import { bearer, type Token } from "../src/token.js";
import { failure } from "./ground.js";

/** A stub that sends the token, and what arrived. */
function sending(token: Token) {
  const arrived: (string | null)[] = [];
  const transport = createRouterTransport(
    ({ service }) => {
      service(QueryService, {
        getCustomer: (_, { requestHeader }) => {
          arrived.push(requestHeader.get("authorization"));
          return {};
        },
      });
    },
    { transport: { interceptors: bearer(token, true) } },
  );
  return { arrived, stub: createClient(QueryService, transport) };
}

test("fixed or fetched, it is sent", async () => {
  for (const token of ["a b~!", () => "a b~!", async () => "a b~!"]) {
    const { arrived, stub } = sending(token);
    await stub.getCustomer({});
    expect(arrived).toEqual(["Bearer a b~!"]);
  }
});

test.each([undefined, null, 7, "", " secret", "sec\nret", "secret\n", "secr\u00e9t"])(
  "%j that was fetched is no token, and is not told",
  async (value) => {
    const { arrived, stub } = sending(() => value as string);
    const error = await failure(stub.getCustomer({}));
    expect(error).toMatchObject({
      code: Code.Unauthenticated,
      rawMessage: "the token could not be fetched: what was fetched is no token",
    });
    expect(arrived).toEqual([]);
  },
);
