import { describeTokenStore } from './conformance.js';
import { makeLmdbHarness } from './lmdb-harness.js';

describeTokenStore('LMDB token store', makeLmdbHarness);
