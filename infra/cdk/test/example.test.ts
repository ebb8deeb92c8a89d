import * as assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { fundhookIn, readTemplate } from './support';

// Here CDK checks the templates against its rules, as it does for every user.
delete process.env.CDK_VALIDATION;

const scratch = mkdtempSync(join(tmpdir(), 'fundhook-cdk-'));
after(() => rmSync(scratch, { recursive: true }));

/** A release in which each function is an empty file. */
function release(): string {
    const directory = join(scratch, 'release');
    mkdirSync(join(directory, 'functions'), { recursive: true });
    for (const { Type, Metadata } of Object.values<any>(readTemplate().Resources)) {
        if (Type === 'AWS::Serverless::Function') {
            writeFileSync(join(directory, 'functions', `${Metadata.BuildProperties.Binary}.zip`), '');
        }
    }
    return directory;
}

/** What the rules report about the templates in a directory. */
function findings(directory: string): string[] {
    const report = JSON.parse(readFileSync(join(directory, 'validation-report.json'), 'utf8'));
    return report.pluginReports.flatMap((plugin: any) =>
        plugin.violations.map(({ ruleName, description }: any) => `${ruleName}: ${description}`),
    );
}

test('the example is synthesized without looking anything up, and the rules of CDK report nothing', () => {
    const outdir = join(scratch, 'example');
    const context = { release: release() };
    const run = spawnSync(process.execPath, [join(__dirname, '..', 'app.js')], {
        encoding: 'utf8',
        env: { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) },
    });
    assert.equal(run.status, 0, run.stderr);
    const read = (name: string) => JSON.parse(readFileSync(join(outdir, name), 'utf8'));
    assert.equal(read('manifest.json').missing, undefined);
    const ids = Object.keys(read('Fundhook.template.json').Resources);
    assert.deepEqual(
        Object.keys(readTemplate().Resources).filter((id) => !ids.includes(id)),
        [],
    );
    assert.deepEqual(findings(outdir), []);
});

test('about a Fundhook without parameters, the rules of CDK report nothing', () => {
    const outdir = join(scratch, 'plain');
    const app = new App({ outdir });
    fundhookIn(new Stack(app, 'Test'));
    app.synth();
    assert.deepEqual(findings(outdir), []);
});

test('the package has the version of the functions', () => {
    const root = join(__dirname, '..', '..', '..');
    const cargo = readFileSync(join(root, 'Cargo.toml'), 'utf8').match(/^version = "(.*)"/m)![1];
    const { version } = require('../package.json');
    assert.equal(version, cargo);
});
