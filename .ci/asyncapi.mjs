// Reads an AsyncAPI document with the official AsyncAPI parser. Fails if the parser reports an error or a warning.
//
//   node .ci/asyncapi.mjs FOLDER DOCUMENT      FOLDER has the parser in node_modules

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, file] = process.argv.slice(2);
const { Parser } = createRequire(resolve(folder, "package.json"))("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"), { source: file });

// Severities 2 (information) and 3 (hint) are ignored. One example reports that a newer AsyncAPI exists.
const faults = diagnostics.filter(({ severity }) => severity <= 1);
for (const { code, message, path } of faults) {
  console.error(`${file}: ${code}: ${message} (at ${path.join("/") || "the top"})`);
}
if (!document || faults.length > 0) {
  process.exit(1);
}

const messages = document.messages().all();
const examples = messages.flatMap((message) => message.examples().all());
console.log(`${file}: AsyncAPI ${document.version()}, ${messages.length} messages, ${examples.length} examples`);
