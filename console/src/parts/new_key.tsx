import { Alert, Form, Input, Modal, Select, Typography } from 'antd';
import { useMemo, useState } from 'react';
import { Intent, problemOf } from '../api';
import { useWords } from '../i18n';
import { useLoad } from '../load';
import { useSession } from '../session';
import { roles, type Accepted, type Problem, type ProjectList, type Role } from '../views';
import { ProblemView } from './problem';

interface Fields {
  user: string;
  organisation?: string;
  role: Role;
  projects?: string[];
  label?: string;
}

/** Makes a key and shows its secret, this once. */
export function NewKey(props: { onClose: () => void; onMade: () => void }) {
  const { t } = useWords();
  const { api } = useSession();
  const [form] = Form.useForm<Fields>();
  const intent = useMemo(() => new Intent(), []);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [made, setMade] = useState<Accepted | null>(null);
  const make = async (fields: Fields) => {
    const { organisation, ...rest } = fields;
    const body = {
      ...rest,
      ...(organisation && { organisation }),
      projects: fields.projects ?? [],
      label: fields.label ?? '',
    };
    setBusy(true);
    setProblem(null);
    try {
      setMade(await api.change<Accepted>({ method: 'POST', path: '/v1/keys', body }, intent));
      props.onMade();
    } catch (error) {
      setProblem(problemOf(error));
    }
    setBusy(false);
  };
  if (made) return <Secret made={made} onClose={props.onClose} />;
  return (
    <Modal
      open
      title={t('keys.new')}
      okText={t('keys.make')}
      okButtonProps={{ loading: isBusy }}
      cancelText={t('action.close')}
      onOk={form.submit}
      onCancel={props.onClose}
    >
      <KeyForm form={form} onFinish={(fields) => void make(fields)} />
      {problem && <ProblemView problem={problem} />}
    </Modal>
  );
}

function KeyForm(props: {
  form: ReturnType<typeof Form.useForm<Fields>>[0];
  onFinish: (fields: Fields) => void;
}) {
  const { t, name } = useWords();
  const { api, me } = useSession();
  const list = useLoad('projects', (signal) => api.get<ProjectList>('/v1/projects', {}, signal));
  const projects = list.value?.projects.map((project) => project.name) ?? me.projects;
  const needed = { required: true, message: t('form.needed') };
  return (
    <Form<Fields>
      form={props.form}
      layout="vertical"
      initialValues={{ role: 'consumer' }}
      onFinish={props.onFinish}
    >
      <Form.Item name="user" label={t('noun.user')} rules={[needed]}>
        <Input autoFocus autoComplete="off" />
      </Form.Item>
      <Form.Item name="organisation" label={t('form.organisation')}>
        <Input autoComplete="off" placeholder={me.organisation} />
      </Form.Item>
      <Form.Item name="role" label={t('field.role')} rules={[needed]}>
        <Select
          options={roles.map((role) => ({
            value: role,
            label: `${name('role', role)} — ${name('role_note', role)}`,
          }))}
        />
      </Form.Item>
      <Form.Item name="projects" label={t('form.projects')}>
        <Select mode="multiple" options={projects.map((one) => ({ value: one, label: one }))} />
      </Form.Item>
      <Form.Item name="label" label={t('field.label')}>
        <Input autoComplete="off" placeholder={t('form.label_hint')} />
      </Form.Item>
    </Form>
  );
}

function Secret({ made, onClose }: { made: Accepted; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Modal
      open
      title={t('secret.title', { id: made.id })}
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
        copyable={{ text: made.secret ?? '', tooltips: [t('action.copy'), t('action.copied')] }}
      >
        <code data-secret>{made.secret}</code>
      </Typography.Paragraph>
    </Modal>
  );
}
