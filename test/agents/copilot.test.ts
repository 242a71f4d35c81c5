import { testHarness } from './harness.ts';

testHarness('copilotcli');
