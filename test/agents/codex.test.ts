import { testHarness } from './harness.ts';

testHarness('codex');
