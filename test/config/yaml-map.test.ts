import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYamlMap } from '../../src/config/yaml-map.js';

const BAD: readonly (readonly [string, string, RegExp])[] = [
  ['a key twice', 'listen: a\nlisten: b', /\(line 2\): Map keys must be unique/],
  ['bad indentation', 'tls:\n cert_file: a\n   key_file: b', /line [23]/],
  ['a list', '- a', /must be a map/],
  ['a text', 'hello', /must be a map/],
  ['a key that is a list', '[a]: b', /line 1/],
  ['a tag', 'listen: !!js/function x', /line 1/],
  ['two documents', 'listen: a\n---\nlisten: b', /line 2/],
  ['more than 1 MiB', `# ${'x'.repeat(1024 * 1024)}`, /1 MiB/],
  ['a bomb of aliases', bomb(), /fewer aliases/],
  ['a prototype', 'limits: { __proto__: { inflight: 1 } }', /__proto__: unknown key/],
];

function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  return lines.join('\n');
}

test('what is no map of its own kind is refused, with its line', async (t) => {
  for (const [name, text, expected] of BAD) {
    await t.test(name, () => assert.throws(() => parseYamlMap(text, 'file.yaml'), expected));
  }
});

test('an empty text is an empty map', () => {
  for (const text of ['', '# nothing\n', '---\n']) assert.deepEqual(parseYamlMap(text, 'file.yaml').value, {});
});

test('values have their lines', () => {
  const { value, findLine } = parseYamlMap('a: 1\nb:\n  - c\n  - d: &x 2\ne: *x\n', 'file.yaml');
  assert.deepEqual(value, { a: 1, b: ['c', { d: 2 }], e: 2 });
  assert.equal(findLine(['b', 1, 'd']), 4);
  assert.equal(findLine(['nothing', 'here']), undefined);
});
