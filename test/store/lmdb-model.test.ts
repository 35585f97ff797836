import { makeLmdbHarness } from './lmdb-harness.js';
import { testAgainstModel } from './model-run.js';

testAgainstModel('LMDB token store', makeLmdbHarness, 200);
