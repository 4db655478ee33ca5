/** Of a Kannel that is a customer of our SMSC, all of it on one loopback address. */
export interface KannelPlan {
  address: string;
  ports: KannelPorts;
  /** Of Kannel's own doors, for its administrator and for whoever sends texts through it. */
  password: string;
  smsc: { address: string; port: number; system_id: string; password: string };
  /** What Kannel calls for each text that a phone sent; null: nobody wants to hear of them. */
  text_url: string | null;
  /** A folder in which Kannel keeps texts until they are sent, a file for each; null: it keeps them in memory alone. */
  spool: string | null;
  /** How many submit_sm may wait for their answer. */
  window: number;
}

export interface KannelPorts {
  admin: number;
  /** Where smsbox connects to bearerbox. */
  smsbox: number;
  sendsms: number;
}

/** Who may send texts through Kannel's HTTP port. */
export const SENDER = 'letsdial';

type Group = Readonly<Record<string, string | number>>;

/** One file that both programs read, as Kannel's user's guide 1.4.5 describes it; what is not named keeps Kannel's own default. */
export function kannelConfiguration(plan: KannelPlan): string {
  const groups = [core(plan), smsbox(plan), smsc(plan), sender(plan)];
  if (plan.text_url !== null) groups.push(service(plan.text_url));
  return groups.map(asText).join('\n');
}

function core({ address, ports, password, spool }: KannelPlan): Group {
  return {
    group: 'core',
    'admin-port': ports.admin,
    'admin-interface': address,
    'admin-password': password,
    'smsbox-port': ports.smsbox,
    'smsbox-interface': address,
    'dlr-storage': 'internal',
    'sms-combine-concatenated-mo': 'true',
    ...(spool === null ? {} : { 'store-type': 'spool', 'store-location': spool }),
  };
}

function smsbox({ address, ports }: KannelPlan): Group {
  return {
    group: 'smsbox',
    'bearerbox-host': address,
    'sendsms-port': ports.sendsms,
    'sendsms-interface': address,
  };
}

function smsc({ smsc: { address, port, system_id, password }, address: our_host, window }: KannelPlan): Group {
  return {
    group: 'smsc',
    smsc: 'smpp',
    'smsc-id': 'letsdial',
    host: address,
    port,
    'our-host': our_host,
    'transceiver-mode': 'true',
    'smsc-username': system_id,
    'smsc-password': password,
    'system-type': '""',
    'interface-version': 34,
    'reconnect-delay': 1,
    'max-pending-submits': window,
  };
}

function sender({ password }: KannelPlan): Group {
  return {
    group: 'sendsms-user',
    username: SENDER,
    password,
    concatenation: 'true',
    'max-messages': 10,
  };
}

/** %b is the text in the character set that %C names, octet by octet. No answer is sent to the phone. */
function service(text_url: string): Group {
  return {
    group: 'sms-service',
    keyword: 'default',
    'catch-all': 'true',
    'max-messages': 0,
    'get-url': `"${text_url}?from=%p&to=%P&text=%b&charset=%C"`,
  };
}

function asText(group: Group): string {
  return Object.entries(group)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}
