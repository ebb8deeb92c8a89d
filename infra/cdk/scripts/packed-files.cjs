// The package has copies of two files of the repository while npm packs it. `copy` runs before, `remove` after.
const fs = require('node:fs');
const path = require('node:path');

const here = path.join(__dirname, '..');
const files = {
    'template.yaml': path.join(here, '..', 'template.yaml'),
    LICENSE: path.join(here, '..', '..', 'LICENSE'),
};

for (const [name, source] of Object.entries(files)) {
    const copy = path.join(here, name);
    if (process.argv[2] === 'copy') {
        fs.copyFileSync(source, copy);
    } else {
        fs.rmSync(copy, { force: true });
    }
}
