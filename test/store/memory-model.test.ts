import { makeMemoryHarness } from './memory-harness.js';
import { testAgainstModel } from './model-run.js';

testAgainstModel('memory token store', makeMemoryHarness, 2000);
