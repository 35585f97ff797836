// Raises max_token_ttl of the store to what the parent named, ms, and ends.
import { openChildStore } from './child-store.js';

const store = await openChildStore();
await store.changeBounds({ maxTokenTtlMs: Number(process.argv[3]) });
await store.close();
