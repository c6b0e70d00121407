import { SearchOutlined } from '@ant-design/icons';
import { Input } from 'antd';
import { useWords } from '../i18n';
import { focusFirstRow } from './rows';

/** The search field of a page: `/` leads to it, ArrowDown out of it, Esc empties it. */
export function Search(props: {
  value: string;
  placeholder: string;
  onChange: (text: string) => void;
  onEnter?: (text: string) => void;
}) {
  const { t } = useWords();
  return (
    <Input
      data-search
      allowClear
      className="search"
      prefix={<SearchOutlined />}
      suffix={<kbd>/</kbd>}
      value={props.value}
      placeholder={props.placeholder}
      aria-label={`${t('action.search')}: ${props.placeholder}`}
      onChange={(event) => props.onChange(event.target.value)}
      onPressEnter={() => props.onEnter?.(props.value.trim())}
      onKeyDown={(event) => {
        if (event.key === 'ArrowDown') {
          event.preventDefault();
          focusFirstRow();
        } else if (event.key === 'Escape') {
          props.onChange('');
          event.currentTarget.blur();
        }
      }}
    />
  );
}

/** True if every word of `text` is in one of the `fields`, whatever the case. */
export function isFound(text: string, fields: readonly string[]): boolean {
  const whole = fields.join('\n').toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => whole.includes(word));
}
