import { switchConformance } from './conformance.ts';
import { FakeHarness } from './fake/harness.ts';

switchConformance('the fake', () => FakeHarness.open());
