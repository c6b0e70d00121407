import { Empty, Table, type TableProps } from 'antd';
import type { KeyboardEvent } from 'react';
import { useWords } from '../i18n';

const rowSelector = 'tr.ant-table-row';

/**
 * A table whose rows are walked with the arrow keys, Home and End, and opened with Enter. The first
 * row is in the tab order; ArrowDown in a search field above leads into it as well.
 */
export function Rows<T extends object>(
  props: TableProps<T> & { label: string; empty?: string; open?: (row: T) => void },
) {
  const { label, empty, open, ...rest } = props;
  const { t } = useWords();
  return (
    <div role="region" aria-label={label} className="rows">
      <Table<T>
        size="middle"
        pagination={false}
        scroll={{ x: 'max-content' }}
        locale={{
          emptyText: (
            <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={empty ?? t('state.empty')} />
          ),
        }}
        {...rest}
        onRow={(row, index) => ({
          tabIndex: index === 0 ? 0 : -1,
          className: open ? 'opens' : '',
          onKeyDown: (event) => walk(event, () => open?.(row)),
          onClick: (event) => {
            if (open && !isControl(event.target, event.currentTarget)) open(row);
          },
        })}
      />
    </div>
  );
}

// A click on a link or button inside a row is for that control, not for the row.
function isControl(target: EventTarget, row: Element): boolean {
  const control = (target as Element).closest('a, button, input, [role="button"]');
  const isSelecting = getSelection()?.type === 'Range';
  return isSelecting || (!!control && row.contains(control));
}

function walk(event: KeyboardEvent<HTMLElement>, open: () => void): void {
  const row = event.currentTarget;
  if (event.target !== row) return;
  const rows = [...(row.parentElement?.querySelectorAll<HTMLElement>(rowSelector) ?? [])];
  const at = rows.indexOf(row);
  const targets: Record<string, HTMLElement | undefined> = {
    ArrowDown: rows[at + 1],
    ArrowUp: rows[at - 1],
    Home: rows[0],
    End: rows.at(-1),
  };
  if (event.key === 'Enter') open();
  else if (!(event.key in targets)) return;
  targets[event.key]?.focus();
  event.preventDefault();
}

/** Moves the focus to the first row on the page. */
export function focusFirstRow(): void {
  document.querySelector<HTMLElement>(rowSelector)?.focus();
}
