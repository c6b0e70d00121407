import { Alert, Button } from 'antd';
import type { ReactNode } from 'react';
import { unreachable, unreadable } from '../api';
import { useWords, wordFor } from '../i18n';
import type { Problem } from '../views';

/** A problem document for people: what was wrong, where, and what to do. */
export function ProblemView(props: { problem: Problem; retry?: (() => void) | undefined }) {
  const { problem, retry } = props;
  const { t } = useWords();
  const lines: ReactNode[] = [];
  if (problem.code === unreachable) lines.push(t('problem.unreachable.detail'));
  else if (problem.code === unreadable) lines.push(t('problem.unreadable.detail'));
  if (problem.detail) lines.push(problem.detail);
  if (problem.pointer) lines.push(t('problem.pointer', { pointer: problem.pointer }));
  if (problem.suggestion) lines.push(t('problem.suggestion', { text: problem.suggestion }));
  return (
    <Alert
      type="error"
      showIcon
      className="problem"
      title={<TitleOf problem={problem} />}
      description={lines.map((line, i) => (
        <div key={i}>{line}</div>
      ))}
      action={
        retry && (
          <Button size="small" onClick={retry}>
            {t('action.retry')}
          </Button>
        )
      }
    />
  );
}

function TitleOf({ problem }: { problem: Problem }) {
  const { t, language } = useWords();
  if (problem.code === unreachable) return t('problem.unreachable');
  if (problem.code === unreadable) return t('problem.unreadable', { status: problem.status });
  return (
    <>
      {wordFor(language, 'code', problem.code) ?? (problem.title || problem.code)}{' '}
      {problem.status > 0 && <code>{problem.status}</code>} <code>{problem.code}</code>
    </>
  );
}
