import { makeLmdbHarness } from '../store/lmdb-harness.js';
import { describeWatch } from './watch-cases.js';

describeWatch('LMDB', makeLmdbHarness);
