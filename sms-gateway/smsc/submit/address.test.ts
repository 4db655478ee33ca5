import { describe, expect, it } from 'vitest';
import { readRecipient, readSender } from './address.ts';

describe('a sender', () => {
  it.each([
    ['447700900123', 1, '+447700900123'],
    ['+447700900123', 1, '+447700900123'],
    ['00447700900123', 1, '+447700900123'],
    ['+447700900123', 0, '+447700900123'],
    ['493012345', 0, '+493012345'],
    ['03012345678', 0, '+493012345678'],
    ['3012345678', 2, '+493012345678'],
    ['12345678', 0, '12345678'],
    ['12345', 3, '12345'],
    ['12345', 6, '12345'],
    ['ACME', 5, 'ACME'],
    ['ACME Ltd', 0, 'ACME Ltd'],
    // A name may be digits alone; whether it is allowed is asked elsewhere.
    ['12345', 5, '12345'],
    [' 4930 ', 0, '4930'],
    ['', 0, ''],
  ])('%s of type %i is %s', (address, ton, expected) => {
    expect(readSender(address, ton, 'DE')).toBe(expected);
  });
});

describe('a recipient', () => {
  it.each([
    ['447700900123', 1, '+447700900123'],
    ['447700900123', 0, '+447700900123'],
    ['+447700900123', 0, '+447700900123'],
    ['00447700900123', 0, '+447700900123'],
    ['01701234567', 0, '+491701234567'],
    ['01701234567', 2, '+491701234567'],
    // Numbers without a type are international, though they could be numbers at home.
    ['491701234567', 0, '+491701234567'],
    ['2125550100', 0, '+2125550100'],
    ['ACME', 5, 'ACME'],
    ['nobody', 1, 'nobody'],
    ['', 1, ''],
  ])('%s of type %i is %s', (address, ton, expected) => {
    expect(readRecipient(address, ton, 'DE')).toBe(expected);
  });
});
