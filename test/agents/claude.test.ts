import { testHarness } from './harness.ts';

testHarness('claude');
