import { Modal } from 'antd';
import { useWords, type Word } from '../i18n';

const rows: readonly [readonly string[], Word][] = [
  [['/'], 'help.search'],
  [['g', 'o'], 'nav.overview'],
  [['g', 'j'], 'nav.jobs'],
  [['g', 's'], 'nav.supply'],
  [['g', 'n'], 'nav.network'],
  [['g', 'l'], 'nav.ledger'],
  [['g', 'k'], 'nav.keys'],
  [['↑', '↓'], 'help.rows'],
  [['Enter'], 'help.open'],
  [['Esc'], 'help.close'],
  [['?'], 'help.help'],
];

/** The shortcuts. */
export function Help({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  return (
    <Modal open title={t('help.title')} footer={null} onCancel={onClose} width={420}>
      <dl className="shortcuts">
        {rows.map(([keys, word]) => (
          <div key={word}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(word)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
