// Builds the page so that it can be served under a policy that allows nothing inline, and serves
// it while it is worked on.
import type { Plugin, ProxyOptions } from "vite";
import { defineConfig } from "vitest/config";

const command = process.env.TANDEM_COMMAND ?? "http://127.0.0.1:8090";
const queries = (process.env.TANDEM_QUERY ?? "http://127.0.0.1:8095").split(/\s+/);

// The services are reached through this server, so that the browser sees one origin and needs no
// CORS. Several query services get a path each, so that failing over can be tried here too.
function proxy(): Record<string, ProxyOptions> {
  const table: Record<string, ProxyOptions> = {
    "/tandem.v1.CommandService": { target: command },
    "/tandem.v1.QueryService": { target: queries[0]! },
  };
  queries.forEach((target, at) => {
    const path = `/query-${at + 1}`;
    table[`${path}/`] = { target, rewrite: (url) => url.slice(path.length) };
  });
  return table;
}

function severalQueryServices(): Plugin {
  return {
    name: "several-query-services",
    apply: "serve",
    transformIndexHtml: (html) =>
      queries.length < 2
        ? html
        : html.replace("__TANDEM_QUERY__", queries.map((_, at) => `/query-${at + 1}`).join(" ")),
  };
}

export default defineConfig({
  plugins: [severalQueryServices()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    sourcemap: false,
    // The licences of what is bundled ask to be told wherever it goes.
    license: { fileName: "licenses.md" },
    // Inlined assets are data: URLs, which the policy forbids.
    assetsInlineLimit: 0,
    // The polyfill would be an inline script.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 200,
  },
  server: { proxy: proxy() },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
