import { PlusOutlined } from '@ant-design/icons';
import { App, Button, Modal, Tag } from 'antd';
import { useMemo, useState } from 'react';
import { Intent, path, problemOf } from '../api';
import { useWords } from '../i18n';
import { useLoad } from '../load';
import { LoadedView } from '../parts/loaded';
import { Code, When } from '../parts/marks';
import { NewKey } from '../parts/new_key';
import { PageHead } from '../parts/panel';
import { ProblemView } from '../parts/problem';
import { Rows } from '../parts/rows';
import { isFound, Search } from '../parts/search';
import { useSession } from '../session';
import { isSet, type Accepted, type KeyList, type KeyView, type Problem } from '../views';

/** Who may come in: keys, new ones, and the end of old ones. */
export function Keys() {
  const { t } = useWords();
  const { api } = useSession();
  const [text, setText] = useState('');
  const [isMaking, setMaking] = useState(false);
  const [dying, setDying] = useState<KeyView | null>(null);
  const keys = useLoad('keys', (signal) => api.get<KeyList>('/v1/keys', {}, signal), {
    on: (notice) => notice.event.startsWith('key'),
  });
  return (
    <>
      <PageHead title={t('nav.keys')} note={t('keys.note')}>
        <Search value={text} onChange={setText} placeholder={t('keys.search')} />
        <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
          {t('keys.new')}
        </Button>
      </PageHead>
      <LoadedView of={keys}>
        {(list) => (
          <KeyRows
            keys={list.keys.filter((key) =>
              isFound(text, [key.id, key.user, key.organisation, key.role, key.label]),
            )}
            revoke={setDying}
          />
        )}
      </LoadedView>
      {isMaking && <NewKey onClose={() => setMaking(false)} onMade={keys.reload} />}
      {dying && <Revoke of={dying} onClose={() => setDying(null)} onDone={keys.reload} />}
    </>
  );
}

function KeyRows({ keys, revoke }: { keys: KeyView[]; revoke: (key: KeyView) => void }) {
  const { t, name } = useWords();
  return (
    <Rows<KeyView>
      label={t('nav.keys')}
      empty={t('keys.empty')}
      rowKey="id"
      dataSource={keys}
      columns={[
        { title: t('field.id'), render: (_, key) => <Code text={key.id} /> },
        { title: t('field.label'), render: (_, key) => key.label || '—' },
        { title: t('noun.user'), dataIndex: 'user' },
        { title: t('noun.organisation'), render: (_, key) => key.organisation || '—' },
        { title: t('field.role'), render: (_, key) => name('role', key.role) },
        { title: t('field.created'), render: (_, key) => <When at={key.created} /> },
        {
          title: t('field.state'),
          render: (_, key) =>
            isSet(key.revoked) ? (
              <>
                <Tag>{t('keys.revoked')}</Tag> <When at={key.revoked} />
              </>
            ) : (
              <Tag color="green">{t('keys.valid')}</Tag>
            ),
        },
        {
          title: t('field.action'),
          render: (_, key) =>
            !isSet(key.revoked) && (
              <Button
                size="small"
                danger
                onClick={() => revoke(key)}
                aria-label={`${t('keys.revoke')} ${key.id}`}
              >
                {t('keys.revoke')}
              </Button>
            ),
        },
      ]}
    />
  );
}

function Revoke(props: { of: KeyView; onClose: () => void; onDone: () => void }) {
  const { t } = useWords();
  const { api } = useSession();
  const { message } = App.useApp();
  const intent = useMemo(() => new Intent(), []);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { of: key } = props;
  const revoke = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await api.change<Accepted>({ method: 'DELETE', path: path`/v1/keys/${key.id}` }, intent);
      void message.success(t('keys.revoke_done', { id: key.id }));
      props.onDone();
      props.onClose();
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      title={t('keys.revoke_title', { id: key.id })}
      okText={t('keys.revoke')}
      okButtonProps={{ danger: true, loading: isBusy }}
      cancelText={t('action.close')}
      onOk={() => void revoke()}
      onCancel={props.onClose}
    >
      <p>{t('keys.revoke_text', { user: key.user, label: key.label || '—' })}</p>
      {problem && <ProblemView problem={problem} />}
    </Modal>
  );
}
