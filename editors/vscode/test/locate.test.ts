import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandLine, locate, type Places } from "../src/locate.ts";

const places = (more: Partial<Places> & { programs?: string[] }): Places => ({
  configured: "",
  searched: "/usr/bin:/opt/bin",
  own: "/data/server/bin/channelcoder-lsp",
  folders: ["/home/ada/shop"],
  windows: false,
  program: (candidate) => (more.programs?.includes(candidate) === true ? candidate : undefined),
  ...more,
});

describe("the server", () => {
  it("is the one that the settings name", () => {
    const found = locate(
      places({ configured: "/opt/lsp", programs: ["/opt/lsp", "/usr/bin/channelcoder-lsp"] }),
    );
    assert.deepEqual(found, { found: true, path: "/opt/lsp", from: "settings" });
  });

  it("is not another one when the settings name what isn't there", () => {
    const found = locate(places({ configured: "/opt/lsp", programs: ["/usr/bin/channelcoder-lsp"] }));
    assert.equal(found.found, false);
  });

  it("is the first on the PATH, else the one that was installed", () => {
    const own = "/data/server/bin/channelcoder-lsp";
    assert.deepEqual(locate(places({ programs: ["/opt/bin/channelcoder-lsp", own] })), {
      found: true,
      path: "/opt/bin/channelcoder-lsp",
      from: "PATH",
    });
    assert.deepEqual(locate(places({ programs: [own] })), { found: true, path: own, from: "own" });
  });

  it("is never a program that the folder holds: neither named, nor on the PATH, nor behind a link", () => {
    const inFolder = "/home/ada/shop/.venv/bin/channelcoder-lsp";
    const anything = (candidate: string): string | undefined => (candidate === "" ? undefined : inFolder);
    assert.equal(locate(places({ configured: inFolder, programs: [inFolder] })).found, false);
    assert.equal(locate(places({ searched: "/home/ada/shop/.venv/bin", programs: [inFolder] })).found, false);
    assert.equal(locate(places({ searched: ".:bin::", program: anything, own: "" })).found, false);
    assert.equal(locate({ ...places({ searched: "/usr/bin" }), program: linked(inFolder) }).found, false);
  });

  it("may lie beside the folder", () => {
    const beside = "/home/ada/shop2/bin/channelcoder-lsp";
    assert.equal(locate(places({ searched: "/home/ada/shop2/bin", programs: [beside] })).found, true);
  });

  it("must be named by a whole path", () => {
    const found = locate(places({ configured: "bin/lsp", program: (candidate) => candidate }));
    assert.equal(found.found, false);
  });
});

/** A machine where /usr/bin/channelcoder-lsp is a link to `target`. */
function linked(target: string): (candidate: string) => string | undefined {
  return (candidate) => (candidate === "/usr/bin/channelcoder-lsp" ? target : undefined);
}

describe("the command line", () => {
  const server = "/opt/bin/channelcoder-lsp";

  it("is beside the server", () => {
    const found = commandLine(places({ programs: [server, "/opt/bin/channelcoder"] }), server);
    assert.equal(found, "/opt/bin/channelcoder");
  });

  it("is beside what a link to the server leads to, where it is not beside the link", () => {
    const real = "/opt/env/bin/channelcoder-lsp";
    const program = (candidate: string): string | undefined =>
      candidate === server ? real : candidate === "/opt/env/bin/channelcoder" ? candidate : undefined;
    assert.equal(commandLine(places({ program }), server), "/opt/env/bin/channelcoder");
  });

  it("is never one that the folder holds, nor one behind a link into it", () => {
    const program = (candidate: string): string =>
      candidate === server ? candidate : "/home/ada/shop/bin/channelcoder";
    assert.equal(commandLine(places({ program }), server), undefined);
  });

  it("may not be there", () => {
    assert.equal(commandLine(places({ programs: [server] }), server), undefined);
  });
});
