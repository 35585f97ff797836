// Texts are told from bytes: one that stands for another would make a record that of another issuer.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createInternedText } from '../../src/core/interned-text.js';

describe('interned texts', () => {
  it('are what the bytes say, however many there are and in whatever order', () => {
    // Far more than there are places for.
    const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 6 }), { minLength: 400, maxLength: 1000 });
    fc.assert(
      fc.property(texts, (all) => {
        const intern = createInternedText();
        for (const text of [...all, ...all]) {
          const bytes = Buffer.from(`<${text}>`);
          assert.equal(intern(bytes, 1, bytes.length - 1), text);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('do not change with the bytes that they were first read from', () => {
    const intern = createInternedText();
    const bytes = Buffer.from('https://a.example');
    assert.equal(intern(bytes, 0, bytes.length), 'https://a.example');
    bytes.write('https://b.example');
    assert.equal(intern(bytes, 0, bytes.length), 'https://b.example');
    assert.equal(intern(Buffer.from('https://a.example'), 0, 17), 'https://a.example');
  });

  it('may be long', () => {
    const intern = createInternedText();
    const text = 'é'.repeat(1000);
    assert.equal(intern(Buffer.from(text), 0, 2000), text);
  });
});
