// Runs a script in MicroPython, with the files of a folder beside it: node micropython_run.mjs PACKAGE FOLDER SCRIPT
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , micropython, folder, script] = process.argv;
const { loadMicroPython } = await import(pathToFileURL(micropython));
const mp = await loadMicroPython({ heapsize: 4 * 1024 * 1024, stdout: (line) => console.log(line) });
for (const name of readdirSync(folder)) {
  mp.FS.writeFile("/" + name, readFileSync(join(folder, name)));
}
mp.runPython(readFileSync(script, "utf-8"));
