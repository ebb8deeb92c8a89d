import * as assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Architecture, FundhookCode } from '../lib';
import { fundhookIn, newStack, readTemplate, synthesized } from './support';

const scratch = mkdtempSync(join(tmpdir(), 'fundhook-cdk-'));
after(() => rmSync(scratch, { recursive: true }));

/** The template's functions: from the logical id to the name of the binary. */
const functions: [string, string][] = Object.entries<any>(readTemplate().Resources)
    .filter(([, { Type }]) => Type === 'AWS::Serverless::Function')
    .map(([id, { Metadata }]) => [id, Metadata.BuildProperties.Binary]);
const [firstId, first] = functions[0];

/** A directory with a file for each function. */
function directory(fileOf: (name: string) => string): string {
    const root = mkdtempSync(join(scratch, 'code-'));
    for (const [, name] of functions) {
        const file = join(root, fileOf(name));
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, `the code of ${name}`);
    }
    return root;
}

const release = () => directory((name) => join('functions', `${name}.zip`));
const localBuild = (file = 'bootstrap') => directory((name) => join(name, file));

/** The assets of a stack with that code, from a function's logical id to the asset's file or directory. */
function assets(code: FundhookCode): { [logicalId: string]: { path: string; packaging: string } } {
    const app = new App();
    const stack = new Stack(app, 'Test');
    fundhookIn(stack, { code });
    const assembly = app.synth();
    const { files } = JSON.parse(readFileSync(join(assembly.directory, 'Test.assets.json'), 'utf8'));
    return Object.fromEntries(
        functions.map(([id]) => {
            const { Bucket, Key } = assembly.getStackByName('Test').template.Resources[id].Properties.CodeUri;
            assert.deepEqual(Bucket, { 'Fn::Sub': 'cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}' });
            const { source } = files[Key.replace(/\..*/, '')];
            return [id, { path: join(assembly.directory, source.path), packaging: source.packaging }];
        }),
    );
}

test('a release has a zip for each function', () => {
    const found = assets(FundhookCode.fromRelease(release()));
    for (const [id, name] of functions) {
        assert.equal(found[id].packaging, 'file');
        assert.equal(readFileSync(found[id].path, 'utf8'), `the code of ${name}`);
    }
});

test('a local build has a directory for each function, of which the binary is uploaded', () => {
    const root = localBuild();
    writeFileSync(join(root, first, 'bootstrap.d'), 'not code');
    const found = assets(FundhookCode.fromLocalBuild(root));
    for (const [id] of functions) {
        assert.equal(found[id].packaging, 'zip');
        assert.deepEqual(readdirSync(found[id].path), ['bootstrap']);
    }
});

test('a local build may have zips', () => {
    assert.equal(assets(FundhookCode.fromLocalBuild(localBuild('bootstrap.zip')))[firstId].packaging, 'file');
});

test('of a binary and a zip, the newer one is the code', () => {
    for (const [newer, packaging] of [
        ['bootstrap', 'zip'],
        ['bootstrap.zip', 'file'],
    ]) {
        const root = localBuild('bootstrap');
        writeFileSync(join(root, first, 'bootstrap.zip'), 'zip');
        utimesSync(join(root, first, newer), new Date(), new Date(Date.now() + 60_000));
        assert.equal(assets(FundhookCode.fromLocalBuild(root))[firstId].packaging, packaging);
    }
});

const missing: [string, () => FundhookCode, {}, RegExp][] = [
    [
        'a zip of a release',
        () => {
            const root = release();
            rmSync(join(root, 'functions', `${first}.zip`));
            return FundhookCode.fromRelease(root);
        },
        {},
        new RegExp(`functions/${first}\\.zip does not exist\\. Unpack a release of Fundhook into `),
    ],
    [
        'the binary of a function',
        () => FundhookCode.fromLocalBuild(join(scratch, 'nothing')),
        {},
        new RegExp(
            `nothing/${first}/bootstrap does not exist\\. Build the functions with: cargo lambda build --release --arm64$`,
        ),
    ],
    [
        'the binary of a function for x86_64',
        () => FundhookCode.fromLocalBuild(join(scratch, 'nothing')),
        { architecture: Architecture.X86_64 },
        /cargo lambda build --release --x86-64$/,
    ],
];
for (const [what, code, props, message] of missing) {
    test(`missing: ${what}`, () => assert.throws(() => fundhookIn(newStack(), { code: code(), ...props }), message));
}

test('without code there is one warning, and a bucket whose name says so', () => {
    const stack = newStack();
    fundhookIn(stack, { code: FundhookCode.notBuilt() });
    for (const [id, name] of functions) {
        assert.deepEqual(synthesized(stack).Resources[id].Properties.CodeUri, {
            Bucket: 'fundhook-code-was-not-built',
            Key: `${name}.zip`,
        });
    }
    const warnings = Annotations.fromStack(stack).findWarning(
        '*',
        Match.stringLikeRegexp('this stack cannot be deployed'),
    );
    assert.equal(warnings.length, 1);
});
