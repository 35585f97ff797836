import { describeTokenStore } from './conformance.js';
import { makeMemoryHarness } from './memory-harness.js';

describeTokenStore('memory token store', makeMemoryHarness);
