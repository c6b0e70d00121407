import { App, Modal } from 'antd';
import { useMemo, useState } from 'react';
import { Intent, path, problemOf } from '../api';
import { useWords } from '../i18n';
import { useSession } from '../session';
import type { Accepted, MemberView, Problem } from '../views';
import { Code } from './marks';
import { ProblemView } from './problem';

export interface Answer {
  member: MemberView;
  isApproved: boolean;
}

/** Lets a domain become a member, or not, once a person has confirmed it. */
export function AnswerJoin(props: { of: Answer; onClose: () => void; onDone: () => void }) {
  const { t } = useWords();
  const { api } = useSession();
  const { message } = App.useApp();
  const intent = useMemo(() => new Intent(), []);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { member, isApproved } = props.of;
  const { name } = member;
  const send = async () => {
    setBusy(true);
    setProblem(null);
    const target = isApproved ? path`/v1/members/${name}/approve` : path`/v1/members/${name}/refuse`;
    try {
      await api.change<Accepted>({ method: 'POST', path: target }, intent);
      void message.success(t(isApproved ? 'join.approve_done' : 'join.refuse_done', { name }));
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
      title={t(isApproved ? 'join.approve_title' : 'join.refuse_title', { name })}
      okText={t(isApproved ? 'join.approve' : 'join.refuse')}
      okButtonProps={{ danger: !isApproved, loading: isBusy }}
      cancelText={t('action.close')}
      onOk={() => void send()}
      onCancel={props.onClose}
    >
      <p>{t(isApproved ? 'join.approve_text' : 'join.refuse_text')}</p>
      {member.fingerprint && (
        <p>
          {t('join.fingerprint')} <Code text={member.fingerprint} />
        </p>
      )}
      {problem && <ProblemView problem={problem} />}
    </Modal>
  );
}
