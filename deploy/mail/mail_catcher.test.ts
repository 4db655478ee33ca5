import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { mailCatcherPart } from '../parts/mail_catcher.ts';
import { freePort } from '../runtime/process/free_port.ts';

describe('the mail catcher', () => {
  it('is a part that takes mail as any server does, and says where it is read', async () => {
    const [smtp_port, http_port] = [await freePort(), await freePort()];
    const part = await mailCatcherPart({ host: '127.0.0.1', smtp_port, http_port }).start();
    expect(part.describe).toContain(`http://127.0.0.1:${http_port}`);
    const { hostname: host, port } = new URL(part.smtp_url);
    const transport = createTransport({ host, port: Number(port) });
    const text = `${'Grüße aus Köln, eine lange Zeile. '.repeat(10)}\nCode: 123456\n`;
    await transport.sendMail({ from: 'Us <us@example.org>', to: 'ada@example.org', subject: 'Schöne Grüße', text });
    expect(part.catcher.mails('ada@example.org')).toMatchObject([
      { from: 'us@example.org', subject: 'Schöne Grüße', text },
    ]);
    expect(part.catcher.mails('eve@example.org')).toEqual([]);
    await part.stop();
    await expect(fetch(`http://127.0.0.1:${http_port}/mails`)).rejects.toThrow();
  });

  it('says what is wrong where its port is taken', async () => {
    const [smtp_port, http_port] = [await freePort(), await freePort()];
    const one = await mailCatcherPart({ host: '127.0.0.1', smtp_port, http_port }).start();
    await expect(mailCatcherPart({ host: '127.0.0.1', smtp_port, http_port }).start()).rejects.toThrow(/mail catcher/u);
    await one.stop();
  });
});
