import { Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { useWords } from '../i18n';
import type { Loaded } from '../load';
import { ProblemView } from './problem';

/** Shows what was read; before that a skeleton, and above old values why there are no new ones. */
export function LoadedView<T>(props: {
  of: Loaded<T>;
  rows?: number;
  children: (value: T) => ReactNode;
}) {
  const { of: loaded, rows = 4, children } = props;
  const { t } = useWords();
  return (
    <>
      {loaded.problem && <ProblemView problem={loaded.problem} retry={loaded.reload} />}
      {loaded.value !== undefined
        ? children(loaded.value)
        : !loaded.problem && (
            <div role="status" aria-label={t('state.loading')}>
              <Skeleton active paragraph={{ rows }} />
            </div>
          )}
    </>
  );
}
