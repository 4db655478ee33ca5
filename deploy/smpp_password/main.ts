import { createInterface } from 'node:readline';
import { hashPassword } from '../../domain/texts/esmes/bind_password.ts';
import { Outage } from '../runtime/outage.ts';
import { runCommand } from '../world/run_command.ts';

/** Reads a customer's SMPP password from the terminal or a pipe, so that it stands in no list of processes, and prints its hash. */
async function main(): Promise<boolean> {
  if (process.stdin.isTTY) process.stderr.write('The password, eight characters at most: ');
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(await hashed(line));
    return true;
  }
  throw new Outage('No password came: write one, or pipe one in.');
}

async function hashed(password: string): Promise<string> {
  try {
    return await hashPassword(password);
  } catch (error) {
    if (error instanceof RangeError) throw new Outage(error.message);
    throw error;
  }
}

await runCommand(main);
