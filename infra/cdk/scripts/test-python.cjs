// Installs the wheel of `npm run package` into a virtual environment, and checks that the example in Python synthesizes the
// same template as the one in TypeScript.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { readTemplate } = require('./template.cjs');

const here = path.join(__dirname, '..');
const example = path.join(here, 'examples', 'python');
const venv = path.join(here, '.venv');
const python = path.join(venv, 'bin', 'python');
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'fundhook-cdk-'));

function run(command, args, options = {}) {
    execFileSync(command, args, { stdio: 'inherit', ...options });
}

/** A release in which each function is an empty file, so that both examples have the same code. */
function release() {
    const directory = path.join(scratch, 'release');
    fs.mkdirSync(path.join(directory, 'functions'), { recursive: true });
    for (const { Type, Metadata } of Object.values(readTemplate().Resources)) {
        if (Type === 'AWS::Serverless::Function') {
            fs.writeFileSync(path.join(directory, 'functions', `${Metadata.BuildProperties.Binary}.zip`), '');
        }
    }
    return directory;
}

function synthesize(name, command, app) {
    const outdir = path.join(scratch, name);
    const context = JSON.stringify({ release: path.join(scratch, 'release') });
    run(command, [app], { env: { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: context } });
    return JSON.parse(fs.readFileSync(path.join(outdir, 'Fundhook.template.json'), 'utf8'));
}

try {
    fs.rmSync(venv, { recursive: true, force: true });
    run('python3', ['-m', 'venv', venv]);
    run(python, [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '-r',
        path.join(example, 'requirements.txt'),
    ]);
    release();
    const fromTypeScript = synthesize('typescript', process.execPath, path.join(here, 'app.js'));
    const fromPython = synthesize('python', python, path.join(example, 'app.py'));
    assert.deepEqual(fromPython, fromTypeScript);
    console.log(
        `Python: 1 of 1 examples has the template of TypeScript, with ${Object.keys(fromPython.Resources).length} resources`,
    );
} finally {
    fs.rmSync(scratch, { recursive: true });
}
