// Where the server is. Never a program that the opened folder holds or names.

import * as path from "node:path";

/** What is looked at to find the server. */
export interface Places {
  /** What the user's settings name; empty when they name nothing. */
  readonly configured: string;
  /** The environment's PATH. */
  readonly searched: string;
  /** The program in the environment that "Install Server" makes. */
  readonly own: string;
  /** The folders that are open, as real paths. */
  readonly folders: readonly string[];
  readonly windows: boolean;
  /** The real path of a program that can be run, or undefined. */
  readonly program: (candidate: string) => string | undefined;
}

/** The server's program, or a sentence that says why there is none. */
export type Located =
  | { readonly found: true; readonly path: string; readonly from: "settings" | "PATH" | "own" }
  | { readonly found: false; readonly reason: string };

const NAME = "channelcoder-lsp";

/** Find the server: what the settings name, else on the PATH, else the one that was installed. */
export function locate(places: Places): Located {
  if (places.configured !== "") {
    return configured(places);
  }
  for (const folder of places.searched.split(places.windows ? ";" : ":")) {
    if (!isAbsolute(places, folder)) {
      continue; // relative to a folder that is open
    }
    const candidate = join(places, folder, places.windows ? `${NAME}.exe` : NAME);
    const real = places.program(candidate);
    if (real !== undefined && !inside(places, real) && !inside(places, candidate)) {
      return { found: true, path: candidate, from: "PATH" };
    }
  }
  if (places.program(places.own) !== undefined) {
    return { found: true, path: places.own, from: "own" };
  }
  return { found: false, reason: `The ChannelCoder server, ${NAME}, is neither on the PATH nor installed.` };
}

/**
 * Find the command line, `channelcoder`, that was installed together with a server.
 *
 * @param server the server's program, as it was found
 * @returns its path, or undefined where there is none outside of the folders that are open
 */
export function commandLine(places: Places, server: string): string | undefined {
  const flavour = places.windows ? path.win32 : path.posix;
  const name = places.windows ? "channelcoder.exe" : "channelcoder";
  const candidates = [server, places.program(server) ?? server].map((one) =>
    join(places, flavour.dirname(one), name),
  );
  return candidates.find((candidate) => {
    const real = places.program(candidate);
    return real !== undefined && !inside(places, real) && !inside(places, candidate);
  });
}

function configured(places: Places): Located {
  const setting = "The setting channelcoder.server.path";
  const named = places.configured;
  if (!isAbsolute(places, named)) {
    return { found: false, reason: `${setting} must be a whole path, and "${named}" is not.` };
  }
  const real = places.program(named);
  if (real === undefined) {
    return { found: false, reason: `${setting} names ${named}, where there is no program.` };
  }
  if (inside(places, named)) {
    return { found: false, reason: `${setting} names ${named}, which is in the folder that is open.` };
  }
  return { found: true, path: named, from: "settings" };
}

function inside(places: Places, program: string): boolean {
  const flavour = places.windows ? path.win32 : path.posix;
  return places.folders.some((folder) => {
    const way = flavour.relative(folder, program);
    return way !== "" && way !== ".." && !way.startsWith(`..${flavour.sep}`) && !flavour.isAbsolute(way);
  });
}

function isAbsolute(places: Places, candidate: string): boolean {
  return (places.windows ? path.win32 : path.posix).isAbsolute(candidate);
}

function join(places: Places, ...parts: string[]): string {
  return (places.windows ? path.win32 : path.posix).join(...parts);
}
