import { expect, it } from 'vitest';
import { HeardCalls } from './heard_calls.ts';

it('forgets a channel that two lists of the switch in a row do not have, and no other', () => {
  const heard = new HeardCalls();
  for (const id of ['up', 'gone', 'young']) heard.found(id, `PJSIP/${id}`);
  heard.listed(new Set(['up', 'young']));
  expect(heard.get('gone')).toBeDefined();
  // One that the list of before had, and one that it did not have yet.
  heard.listed(new Set(['up']));
  expect(heard.get('gone')).toBeUndefined();
  expect(heard.get('young')).toBeDefined();
  heard.listed(new Set(['up', 'young']));
  heard.listed(new Set(['up']));
  expect(heard.get('young')).toBeDefined();
  expect(heard.get('up')).toBeDefined();
});
