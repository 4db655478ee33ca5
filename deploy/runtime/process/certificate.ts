import { createPublicKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, Outage } from '../outage.ts';

/** Where a certificate and its private key lie, both PEM. */
export interface CertificateFiles {
  certificate_file: string;
  private_key_file: string;
}

const VALID_DAYS = 3650;
const DAY_MS = 86_400_000;

/**
 * A certificate that vouches for nobody but itself, made once and kept: it is what TLS begins with where no real one is
 * configured. Made anew when it does not name every one of the addresses or is about to end. Needs no program but Node.
 */
export async function keptCertificate(folder: string, addresses: readonly string[]): Promise<CertificateFiles> {
  const files = {
    certificate_file: join(folder, 'certificate.pem'),
    private_key_file: join(folder, 'private-key.pem'),
  };
  if (await isFit(files, addresses)) return files;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = selfSigned(privateKey, addresses, Date.now());
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await replace(files.private_key_file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  await replace(files.certificate_file, certificate);
  return files;
}

/** Throws an `Outage` where TLS could not begin with them: the switch would go without it and say so in a log only. */
export async function checkCertificate({ certificate_file, private_key_file }: CertificateFiles): Promise<void> {
  try {
    const [certificate, key] = await Promise.all([readFile(certificate_file), readFile(private_key_file)]);
    if (new X509Certificate(certificate).publicKey.equals(createPublicKey(key))) return;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Outage(`The certificate ${certificate_file} and its key ${private_key_file} cannot be used: ${why}.`);
  }
  throw new Outage(`The private key ${private_key_file} is not that of the certificate ${certificate_file}.`);
}

async function replace(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content, { mode: 0o600 });
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
}

async function isFit(files: CertificateFiles, addresses: readonly string[]): Promise<boolean> {
  try {
    const kept = new X509Certificate(await readFile(files.certificate_file));
    const ends_at_ms = new Date(kept.validTo).getTime();
    const named = addresses.every((address) => kept.checkIP(address) !== undefined);
    const key = createPublicKey(await readFile(files.private_key_file));
    return named && ends_at_ms - Date.now() > 30 * DAY_MS && kept.publicKey.equals(key);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The few forms of ASN.1's DER (X.690) that a certificate (RFC 5280) is made of. */
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
};
const oid = {
  ecdsa_with_sha256: '2a8648ce3d040302',
  common_name: '550403',
  subject_alternative_name: '551d11',
  basic_constraints: '551d13',
} as const;

function der(kind: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([kind, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(4, '0'), 'hex');
  return Buffer.concat([Buffer.from([kind, 0x80 | length.length]), length, body]);
}

const sequence = (...contents: readonly Uint8Array[]): Buffer => der(tag.sequence, ...contents);
const objectId = (name: keyof typeof oid): Buffer => der(tag.oid, Buffer.from(oid[name], 'hex'));
const bits = (content: Uint8Array): Buffer => der(tag.bits, Buffer.from([0]), content);

function time(at_ms: number): Buffer {
  return der(tag.time, Buffer.from(`${new Date(at_ms).toISOString().replace(/[-:T]/gu, '').slice(0, 14)}Z`));
}

function extension(name: keyof typeof oid, value: Uint8Array): Buffer {
  return sequence(objectId(name), der(tag.octets, value));
}

function selfSigned(key: KeyObject, addresses: readonly string[], now_ms: number): string {
  const algorithm = sequence(objectId('ecdsa_with_sha256'));
  const name = sequence(der(tag.set, sequence(objectId('common_name'), der(tag.utf8, Buffer.from('Letsdial')))));
  const names = [
    der(0x82, Buffer.from('localhost')),
    ...[...new Set(addresses)].map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
  ];
  const body = sequence(
    // Version 3, the only one with extensions; then a serial number that is positive and its own.
    der(0xa0, der(tag.integer, Buffer.from([2]))),
    der(tag.integer, Buffer.from([0x40]), randomBytes(15)),
    algorithm,
    name,
    // Begins yesterday: a phone's clock may be behind.
    sequence(time(now_ms - DAY_MS), time(now_ms + VALID_DAYS * DAY_MS)),
    name,
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        extension('subject_alternative_name', sequence(...names)),
        extension('basic_constraints', sequence(der(tag.boolean, Buffer.from([0xff])))),
      ),
    ),
  );
  const signed = sequence(body, algorithm, bits(sign('sha256', body, key)));
  const lines = signed.toString('base64').match(/.{1,64}/gu) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
