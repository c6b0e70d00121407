import { Segmented } from 'antd';
import { createContext, useContext } from 'react';
import { useWords, type Language } from '../i18n';

export const LanguageContext = createContext<(language: Language) => void>(() => undefined);

/** Chinese or English; the choice is remembered. */
export function LanguageSwitch() {
  const { language, t } = useWords();
  const choose = useContext(LanguageContext);
  return (
    <Segmented<Language>
      aria-label={t('language')}
      value={language}
      onChange={choose}
      options={[
        { value: 'zh', label: <span lang="zh-CN">中文</span> },
        { value: 'en', label: <span lang="en">English</span> },
      ]}
    />
  );
}
