import { Button } from 'antd';
import { useWords } from '../i18n';
import type { LoadedPages } from '../load';

/** How many rows are shown, and the way to the next page of them. */
export function More<T, H>({ of: loaded }: { of: LoadedPages<T, H> }) {
  const { t } = useWords();
  if (!loaded.value || loaded.value.rows.length === 0) return null;
  return (
    <div className="more">
      <span className="quiet">{t('rows.shown', { count: loaded.value.rows.length })}</span>
      {loaded.value.next && (
        <Button onClick={loaded.more} loading={loaded.isLoading}>
          {t('rows.more')}
        </Button>
      )}
    </div>
  );
}
