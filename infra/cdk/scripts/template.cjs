// Reads a CloudFormation template as plain JSON: `!Ref X` becomes {"Ref": "X"}, as CloudFormation itself reads it.
const fs = require('node:fs');
const path = require('node:path');
const YAML = require('yaml');

const TEMPLATE = path.join(__dirname, '..', '..', 'template.yaml');

function readTemplate(file = TEMPLATE) {
    const document = YAML.parseDocument(fs.readFileSync(file, 'utf8'), { logLevel: 'error' });
    if (document.errors.length > 0) {
        throw document.errors[0];
    }
    return plain(document.contents);
}

function plain(node) {
    let value = node?.value ?? null;
    if (YAML.isMap(node)) {
        value = Object.fromEntries(node.items.map((pair) => [pair.key.value, plain(pair.value)]));
    } else if (YAML.isSeq(node)) {
        value = node.items.map(plain);
    }
    return node?.tag?.startsWith('!') ? intrinsic(node.tag.slice(1), value) : value;
}

function intrinsic(tag, value) {
    if (tag === 'Ref' || tag === 'Condition') {
        return { [tag]: value };
    }
    if (tag === 'GetAtt' && typeof value === 'string') {
        // Only the first dot separates: an attribute of a nested stack is `Outputs.Name`.
        const dot = value.indexOf('.');
        return { 'Fn::GetAtt': [value.slice(0, dot), value.slice(dot + 1)] };
    }
    return { [`Fn::${tag}`]: value };
}

module.exports = { readTemplate };
