import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

/** A provider of OpenID Connect on the loopback network, in Google's place, where whoever comes is who `subject` says. */
export class OidcIssuer {
  readonly #server: Server;
  readonly issuer: string;
  subject = 'somebody';

  private constructor(server: Server, issuer: string) {
    this.#server = server;
    this.issuer = issuer;
  }

  static async begin(client_id: string, client_secret: string, redirect_uri: string): Promise<OidcIssuer> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const own = new OidcIssuer(server, url);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const provider = new Provider(url, {
      clients: [
        {
          ...{ client_id, client_secret, redirect_uris: [redirect_uri] },
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      cookies: { keys: ['a test'] },
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    });
    const answer = provider.callback();
    server.on('request', (request, response) => {
      if (request.url?.startsWith('/interaction/') !== true) {
        void answer(request, response);
        return;
      }
      // Nobody is shown anything: whoever comes has signed in and agreed.
      void (async () => {
        const { params, session, grantId } = await provider.interactionDetails(request, response);
        const accountId = session?.accountId ?? own.subject;
        const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
        const grant = known ?? new provider.Grant({ accountId, clientId: String(params['client_id']) });
        grant.addOIDCScope('openid email profile');
        const consent = { grantId: await grant.save() };
        await provider.interactionFinished(request, response, { login: { accountId }, consent });
      })();
    });
    return own;
  }

  /** Follows a browser from the portal's link to where it comes back; the query of that address. */
  async visit(link: string): Promise<Record<string, string>> {
    const cookies = new Map<string, string>();
    let url = link;
    for (let hops = 0; hops < 10; hops += 1) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
      for (const line of response.headers.getSetCookie()) {
        const [pair = ''] = line.split(';');
        const at = pair.indexOf('=');
        cookies.set(pair.slice(0, at), pair.slice(at + 1));
      }
      const location = response.headers.get('location');
      if (location === null) throw new Error(`The issuer answered ${response.status}: ${await response.text()}`);
      const next = new URL(location, url);
      if (next.origin !== this.issuer) return Object.fromEntries(next.searchParams);
      url = next.href;
    }
    throw new Error('The issuer sends the browser round and round.');
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
