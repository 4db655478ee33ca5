import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ServerTls } from '../smpp/tls_settings.ts';

export interface CertificateFiles {
  /** PEM: the certificate, and those of its issuers behind it. */
  certificate_file: string;
  /** PEM, without a passphrase. */
  key_file: string;
}

/** The certificate that customers who bind over TLS see, as it lies in two files which somebody renews now and then. */
export class Certificate {
  readonly #files: CertificateFiles;
  #known: ServerTls | null = null;

  constructor(files: CertificateFiles) {
    this.#files = files;
  }

  /** @throws Error that says why TLS could not begin with it. */
  async read(): Promise<ServerTls> {
    const { certificate_file, key_file } = this.#files;
    try {
      const [cert, key] = await Promise.all([readFile(certificate_file, 'utf8'), readFile(key_file, 'utf8')]);
      // An empty file is as good as none to what follows, which refuses what else is no PEM, and a key of another certificate.
      if (cert === '' || key === '') throw new Error('one of the two is empty');
      createSecureContext({ cert, key });
      this.#known = { cert, key };
      return this.#known;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(
        `The certificate ${certificate_file} and its key ${key_file} cannot be used, so customers could not bind over TLS: ` +
          `${why}. Put both right, or leave GATEWAY_SMPP_TLS_PORT out.`,
        { cause: error },
      );
    }
  }

  /** What the files have by now; null where that is what was read last. @throws as `read`. */
  async renewed(): Promise<ServerTls | null> {
    const known = this.#known;
    const now = await this.read();
    return now.cert === known?.cert && now.key === known.key ? null : now;
  }
}
