import { Alert, Form, Input, Modal, Select, Typography } from 'antd';
import { useMemo, useState } from 'react';
import { Intent, problemOf } from '../api';
import { useWords } from '../i18n';
import { useSession } from '../session';
import type { Accepted, Problem } from '../views';
import { Command, isLoopback, joinCommand } from './how_to_join';
import { ProblemView } from './problem';

interface Fields {
  label?: string;
  lasts: string;
}

const spans = ['1h', '24h', '7d', '30d'] as const;

/** Makes a token with which one domain may ask to join, and shows it, this once. */
export function NewJoinToken(props: { onClose: () => void; onMade: () => void }) {
  const { t, name } = useWords();
  const { api } = useSession();
  const [form] = Form.useForm<Fields>();
  const intent = useMemo(() => new Intent(), []);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [made, setMade] = useState<Accepted | null>(null);
  const make = async ({ label = '', lasts }: Fields) => {
    setBusy(true);
    setProblem(null);
    const body = { label, lasts };
    try {
      setMade(await api.change<Accepted>({ method: 'POST', path: '/v1/join-tokens', body }, intent));
      props.onMade();
    } catch (error) {
      setProblem(problemOf(error));
    }
    setBusy(false);
  };
  if (made) return <Made made={made} onClose={props.onClose} />;
  return (
    <Modal
      open
      title={t('token.new')}
      okText={t('keys.make')}
      okButtonProps={{ loading: isBusy }}
      cancelText={t('action.close')}
      onOk={form.submit}
      onCancel={props.onClose}
    >
      <p>{t('token.text')}</p>
      <Form<Fields>
        form={form}
        layout="vertical"
        initialValues={{ lasts: '24h' }}
        onFinish={(fields) => void make(fields)}
      >
        <Form.Item name="label" label={t('field.label')}>
          <Input autoFocus autoComplete="off" maxLength={60} placeholder={t('token.label_hint')} />
        </Form.Item>
        <Form.Item name="lasts" label={t('token.lasts')}>
          <Select options={spans.map((span) => ({ value: span, label: name('lasts', span) }))} />
        </Form.Item>
      </Form>
      {problem && <ProblemView problem={problem} />}
    </Modal>
  );
}

function Made({ made, onClose }: { made: Accepted; onClose: () => void }) {
  const { t } = useWords();
  const secret = made.secret ?? '';
  return (
    <Modal
      open
      width={640}
      title={t('token.title', { id: made.id })}
      okText={t('secret.kept')}
      cancelButtonProps={{ style: { display: 'none' } }}
      mask={{ closable: false }}
      keyboard={false}
      closable={false}
      onOk={onClose}
    >
      <Alert type="warning" showIcon title={t('secret.once')} />
      <Typography.Paragraph
        className="secret"
        copyable={{ text: secret, tooltips: [t('action.copy'), t('action.copied')] }}
      >
        <code data-secret>{secret}</code>
      </Typography.Paragraph>
      <p>{t('token.there')}</p>
      <Command text={joinCommand(location.origin, secret)} />
      <p className="quiet">{t('token.after')}</p>
      {isLoopback(location.hostname) && <p className="quiet">{t('token.loopback')}</p>}
    </Modal>
  );
}
