import { expect, test } from 'vitest';
import { asteriskMajor, postgresMajor, redisMajor } from './versions.ts';

test('majors are read from what the programs print', () => {
  expect(postgresMajor('postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)')).toBe(15);
  expect(postgresMajor('postgres (PostgreSQL) 19devel')).toBe(19);
  expect(redisMajor('Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=x')).toBe(7);
  expect(redisMajor('Valkey server v=9.1.2 sha=00000000:0')).toBe(9);
  expect(asteriskMajor('Asterisk 22.10.1+dfsg+~cs6.17.60671434-1')).toBe(22);
  expect(asteriskMajor('Asterisk certified/22.8-cert1')).toBe(22);
});

test('what is no version is none', () => {
  expect(postgresMajor('')).toBeNull();
  expect(redisMajor('redis-cli 7.0.15')).toBeNull();
  expect(asteriskMajor('asterisk: command not found')).toBeNull();
});
