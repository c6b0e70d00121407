import { Button } from 'antd';
import { useWatchStatus } from '../feed';
import { useWords } from '../i18n';
import { useNow } from '../load';

/** Whether what is shown is live, and when the next try is if it is not. */
export function LiveMark({ retry }: { retry: () => void }) {
  const { t } = useWords();
  const { state, retryAt } = useWatchStatus();
  const isWaiting = state === 'reconnecting';
  const now = useNow(isWaiting ? 1000 : 0);
  const seconds = Math.max(0, Math.ceil((retryAt - now) / 1000));
  return (
    <div className={`live ${state}`} role="status" aria-live="polite">
      <i className="dot" aria-hidden />
      <span>{t(`live.${state}`)}</span>
      {isWaiting && (
        <>
          <span className="number" aria-hidden>
            {t('live.in', { seconds })}
          </span>
          <Button size="small" type="link" onClick={retry}>
            {t('live.now')}
          </Button>
        </>
      )}
    </div>
  );
}
