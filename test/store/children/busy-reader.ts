// Reads without a pause, as a busy daemon does; told a token by its parent, reads it and says what stands there.
import { decodeEntry } from '../../../src/core/entry.js';
import { readEntry } from '../fixtures.js';
import { openChildStore } from './child-store.js';

const store = await openChildStore();

process.on('message', (name: string) => {
  void readEntry(store, name).then((entry) => process.send?.({ name, kind: entry && decodeEntry(entry).kind }));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

for (;;) {
  await store.read([], undefined);
  await new Promise(setImmediate);
}
