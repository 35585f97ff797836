import { makeMemoryHarness } from '../store/memory-harness.js';
import { describeWatch } from './watch-cases.js';

describeWatch('memory', makeMemoryHarness);
