// Opens the folder and says how that went, as JSON.
import { StoreUnavailable } from '../../../src/core/errors.js';
import { openChildStore } from './child-store.js';

try {
  const store = await openChildStore();
  await store.ready();
  await store.close();
  console.log(JSON.stringify({ opened: true }));
} catch (error) {
  if (!(error instanceof StoreUnavailable)) throw error;
  console.log(JSON.stringify({ detail: error.detail }));
}
