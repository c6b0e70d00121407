import { Typography } from 'antd';
import { useWords } from '../i18n';

/** What somebody at the other domain runs: the token is not among the words that others may see. */
export function joinCommand(origin: string, token: string): string {
  return `SUAN_JOIN_TOKEN=${token} \\\n  suan serve --join ${origin}`;
}

/** A command to copy. */
export function Command({ text }: { text: string }) {
  const { t } = useWords();
  return (
    <Typography.Paragraph
      className="command"
      copyable={{ text, tooltips: [t('action.copy'), t('action.copied')] }}
    >
      <code data-command>{text}</code>
    </Typography.Paragraph>
  );
}

/** True of an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}

/** No domain has joined yet: how one does. */
export function HowToJoin({ isOperator }: { isOperator: boolean }) {
  const { t } = useWords();
  return (
    <div className="how-to-join">
      <h3>{t('join.none')}</h3>
      <ol>
        <li>{t(isOperator ? 'join.step_token' : 'join.step_ask')}</li>
        <li>
          {t('join.step_serve')}
          <Command text={joinCommand(location.origin, 'join_…')} />
        </li>
        <li>{t('join.step_approve')}</li>
      </ol>
    </div>
  );
}
