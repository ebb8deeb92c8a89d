import * as fs from 'fs';
import * as path from 'path';
import { Annotations } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { Architecture } from './parameters.generated';

/** A function of the template whose code is wanted. */
export interface WantedCode {
    /** The function's name, which is also its binary's, for example `fan-out`. */
    readonly name: string;
    readonly architecture: Architecture;
}

/** Where CloudFormation finds a function's code, in the form of the property `CodeUri`. */
export interface CodeLocation {
    readonly bucket: string;
    readonly key: string;
}

/** The bucket of code that does not exist. A deployment fails and names it. */
const NO_BUCKET = 'fundhook-code-was-not-built';

/**
 * Where the code of Fundhook's functions comes from.
 */
export class FundhookCode {
    /**
     * The code of a release.
     *
     * @param directory The directory of an unpacked release. It has the files `functions/<function>.zip`.
     */
    public static fromRelease(directory: string): FundhookCode {
        return new FundhookCode((scope, wanted) => {
            const file = path.resolve(directory, 'functions', `${wanted.name}.zip`);
            if (!fs.existsSync(file)) {
                throw new Error(
                    `${file} does not exist. Unpack a release of Fundhook into ${path.resolve(directory)}.`,
                );
            }
            return uploaded(scope, wanted, file);
        });
    }

    /**
     * The code that `cargo lambda build --release --arm64` built, with or without `--output-format zip`.
     *
     * @param directory The directory with one directory for each function. By default `target/lambda`, of the checkout that
     * this package is part of or else of the working directory.
     */
    public static fromLocalBuild(directory?: string): FundhookCode {
        const root = directory ?? path.join(checkout() ?? '', 'target', 'lambda');
        return new FundhookCode((scope, wanted) => {
            const built = path.resolve(root, wanted.name);
            const binary = path.join(built, 'bootstrap');
            const zip = path.join(built, 'bootstrap.zip');
            const newest = [binary, zip]
                .filter((file) => fs.existsSync(file))
                .sort((a, b) => modified(b) - modified(a))[0];
            if (newest === undefined) {
                const flag = wanted.architecture === Architecture.X86_64 ? '--x86-64' : '--arm64';
                throw new Error(
                    `${binary} does not exist. Build the functions with: cargo lambda build --release ${flag}`,
                );
            }
            return newest === zip ? uploaded(scope, wanted, zip) : uploaded(scope, wanted, built, ['*', '!bootstrap']);
        });
    }

    /**
     * No code, for looking at the template or testing it. A deployment fails, because the bucket of the code does not exist.
     */
    public static notBuilt(): FundhookCode {
        return new FundhookCode((scope, wanted) => {
            Annotations.of(scope).addWarningV2(
                'fundhook-cdk:notBuilt',
                'The functions have no code, so this stack cannot be deployed. Use FundhookCode.fromLocalBuild() or fromRelease().',
            );
            return { bucket: NO_BUCKET, key: `${wanted.name}.zip` };
        });
    }

    private constructor(private readonly locate: (scope: Construct, wanted: WantedCode) => CodeLocation) {}

    /**
     * The location of a function's code, which is uploaded when the stack is deployed.
     *
     * @internal
     */
    public _locate(scope: Construct, wanted: WantedCode): CodeLocation {
        return this.locate(scope, wanted);
    }
}

function uploaded(scope: Construct, wanted: WantedCode, file: string, exclude?: string[]): CodeLocation {
    const asset = new Asset(scope, `${wanted.name}.code`, { path: file, exclude });
    return { bucket: asset.s3BucketName, key: asset.s3ObjectKey };
}

function modified(file: string): number {
    return fs.statSync(file).mtimeMs;
}

/** The root of the checkout that this file is part of, if it is part of one. */
function checkout(): string | undefined {
    const root = path.join(__dirname, '..', '..', '..');
    return fs.existsSync(path.join(root, 'infra', 'template.yaml')) ? root : undefined;
}
