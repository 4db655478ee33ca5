import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asteriskPart } from './parts/asterisk.ts';
import { carrierPart } from './parts/carrier.ts';
import type { CarrierPart } from './parts/carrier.ts';
import { controllerPart } from './parts/controller.ts';
import { postgresPart } from './parts/postgres.ts';
import { schemaPart } from './parts/schema.ts';
import { smscPart } from './parts/smsc.ts';
import { smsGatewayPart } from './parts/sms_gateway.ts';
import type { SmsGatewayPart } from './parts/sms_gateway.ts';
import { switchElsewhere } from './parts/switch_elsewhere.ts';
import { valkeyPart } from './parts/valkey.ts';
import { prepareHome } from './runtime/home.ts';
import { install } from './runtime/install.ts';
import type { Programs } from './runtime/machine/programs.ts';
import { explainError, Outage } from './runtime/outage.ts';
import { checkCertificate, keptCertificate } from './runtime/process/certificate.ts';
import { claimPort, freePort } from './runtime/process/free_port.ts';
import { LOOPBACK } from './runtime/process/port.ts';
import { showProgress } from './runtime/progress.ts';
import { tryLock } from './runtime/root/lock.ts';
import { beginPortal, firstRequest } from './start_portal.ts';
import { firstSteps } from './start_words.ts';
import { portIn } from './service_settings.ts';
import { seedDemoOperator } from './seed/demo_operator.ts';
import type { DemoOperator } from './seed/demo_operator.ts';
import { deploySettings, serversElsewhere } from './settings.ts';
import type { DeploySettings } from './settings.ts';
import type { Begin } from './supervise/part.ts';
import { processWorld } from './supervise/process_world.ts';
import { supervise } from './supervise/supervise.ts';

/** The simulated carrier, and the same carrier's SMSC. */
const carrierIn = (network: string) => ({ address: `${network}.5`, port: 5060 });
const smscIn = (network: string) => ({ address: `${network}.5`, port: 2775, control_port: 8775 });

async function start(settings: DeploySettings): Promise<number> {
  const { home, cache, mirror } = settings;
  const only = await tryLock(join(home, 'running'));
  if (only === null) {
    throw new Outage(
      `Letsdial already runs out of ${home}, so a second one was not started: stop that one, or name another folder in LETSDIAL_HOME.`,
    );
  }
  await prepareHome(home);
  const progress = showProgress(process.stdout, Date.now);
  const programs = await install({
    home,
    cache,
    mirror,
    prefer: 'machine',
    elsewhere: serversElsewhere(settings),
    progress,
  });
  return supervise((begin) => compose(begin, settings, programs), processWorld);
}

/** Each line begins one part once those above it answer; they stop from the last to the first. */
async function compose(begin: Begin, settings: DeploySettings, programs: Programs): Promise<void> {
  const { home } = settings;
  const database = await begin(
    postgresPart({ programs: programs.postgres, home, port: settings.postgres_port, url: settings.database_url }),
  );
  const cache = await begin(
    valkeyPart({ program: programs.valkey_server, home, port: settings.redis_port, url: settings.redis_url }),
  );
  const schema = await begin(
    schemaPart({
      home,
      database_url: database.url,
      controller_database_url: settings.controller_database_url,
      gateway_database_url: settings.gateway_database_url,
      portal_database_url: settings.portal_database_url,
    }),
  );
  // The command `explain` finds the database here.
  const addresses = JSON.stringify({ database_url: schema.explain_url });
  await writeFile(join(home, 'addresses.json'), `${addresses}\n`, { mode: 0o600 });
  const demo = await seededDemo(settings, database.url);
  const sip = { address: settings.sip_address, port: settings.sip_port };
  const access =
    settings.ari_url === null
      ? (await begin(ownSwitch(settings, programs, database.url, sip, await switchPorts(settings)))).access
      : await switchElsewhere();
  const carrier = demo === null ? null : await beginCarrier(begin, settings, programs, sip);
  await begin(
    controllerPart({
      home,
      database_url: schema.controller_url,
      redis_url: cache.url,
      access,
      port: await claimPort(settings.controller_port, 'The controller'),
      settings: settings.services.controller,
    }),
  );
  const texts = await beginTexts(begin, settings, { database_url: schema.gateway_url, redis_url: cache.url }, demo);
  const portal = await beginPortal(begin, settings, {
    ...{ owner_url: database.url, database_url: schema.portal_url, redis_url: cache.url, is_demo: demo !== null },
  });
  const tls_port = settings.texts_smpp_tls_port;
  const started = {
    home,
    demo_wanted: settings.demo,
    demo,
    sip,
    carrier,
    texts,
    smsc: smscIn(settings.simulated_network),
    tls_port,
  };
  console.log(firstSteps(started, firstRequest(portal)));
}

function beginCarrier(
  begin: Begin,
  { home, simulated_network }: DeploySettings,
  programs: Programs,
  customer: { address: string; port: number },
): Promise<CarrierPart> {
  return begin(carrierPart({ programs: programs.asterisk, home, sip: carrierIn(simulated_network), customer }));
}

/** The demo operator; null where it is kept out, or where the database is somebody's already. */
async function seededDemo(settings: DeploySettings, database_url: string): Promise<DemoOperator | null> {
  const { demo, home, simulated_network: network } = settings;
  return demo ? seedDemoOperator({ home, database_url, carrier: carrierIn(network), smsc: smscIn(network) }) : null;
}

async function beginTexts(
  begin: Begin,
  settings: DeploySettings,
  servers: { database_url: string; redis_url: string },
  demo: DemoOperator | null,
): Promise<SmsGatewayPart> {
  const { home, texts_http_port, texts_smpp_port, texts_smpp_tls_port, simulated_network } = settings;
  const own = settings.services.gateway;
  const certificate = settings.certificate ?? (await keptCertificate(join(home, 'tls-texts'), [LOOPBACK]));
  await checkCertificate(certificate);
  if (demo !== null) await begin(smscPart({ home, name: 'demo', ...smscIn(simulated_network), accounts: [demo.smsc] }));
  return begin(
    smsGatewayPart({
      home,
      ...servers,
      host: own['GATEWAY_HOST'] ?? LOOPBACK,
      ports: {
        http: await claimPort(texts_http_port, 'The gateway of texts'),
        smpp: await claimPort(texts_smpp_port, 'The gateway of texts'),
        observe: await claimPort(portIn(own, 'GATEWAY_OBSERVE_PORT'), 'The metrics of the gateway of texts'),
      },
      settings: {
        // Customers of a demo live on this machine; anybody else's webhook there would reach into the operator's own network.
        WEBHOOKS_TO_PRIVATE_ADDRESSES: demo === null ? 'no' : 'yes',
        GATEWAY_SMPP_TLS_PORT: String(await claimPort(texts_smpp_tls_port, 'The gateway of texts')),
        GATEWAY_TLS_CERT_FILE: certificate.certificate_file,
        GATEWAY_TLS_KEY_FILE: certificate.private_key_file,
        ...own,
      },
    }),
  );
}

async function switchPorts(settings: DeploySettings): Promise<{ http: number; ami: number; wss: number }> {
  const wss = await claimPort(settings.wss_port, "The switch's end of browser phones");
  return { http: await freePort(), ami: await freePort(), wss };
}

function ownSwitch(
  settings: DeploySettings,
  programs: Programs,
  database_url: string,
  sip: { address: string; port: number },
  ports: { http: number; ami: number; wss: number },
): ReturnType<typeof asteriskPart> {
  return asteriskPart({
    programs: programs.asterisk,
    home: settings.home,
    database_url,
    sip,
    rtp: { first_port: 10_000, last_port: 19_999 },
    http: { address: LOOPBACK, port: ports.http },
    ami: { address: LOOPBACK, port: ports.ami },
    tls_port: settings.sip_tls_port,
    wss_port: ports.wss,
    certificate: settings.certificate,
    role_password: null,
  });
}

try {
  process.exitCode = await start(deploySettings(process.env));
} catch (error) {
  console.error(explainError(error));
  process.exitCode = 1;
}
