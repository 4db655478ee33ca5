import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { PortalWorld } from './portal_world.ts';

/** A portal whose mail is caught, and at which one address may ask for as many codes as a test needs. */
export interface MailedWorld {
  mail: MailCatcher;
  world: PortalWorld;
  end: () => Promise<void>;
}

export async function mailedWorld(): Promise<MailedWorld> {
  const mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  const world = await PortalWorld.begin({
    SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}`,
    CODES_PER_ADDRESS_PER_HOUR_MAX: '1000',
  });
  return {
    mail,
    world,
    end: async () => {
      await world.end();
      await mail.end();
    },
  };
}
