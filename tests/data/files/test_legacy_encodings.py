from __future__ import annotations

import pytest

from bpcli.data.files.legacy_encodings import candidates, example

TABLES = [
    ("cp1252", "größe,straße\nlänge,höhe\nmüller,weiß\n"),
    ("cp1252", "année,température\nété,forêt\nça,élevée\n"),
    ("cp1252", "año,tamaño\nniño,corazón\n"),
    ("cp1250", "město,výška\nPlzeň,řeka\nTřebíč,žlutý\nKoš,dům\n"),
    ("cp1250", "miasto,wysokość\nŁódź,żółty\nKraków,ciężki\nPoznań,gęś\n"),
    ("cp1254", "şehir,yükseklik\nİstanbul,ağaç\nEskişehir,kırmızı\n"),
    ("cp1257", "pilsēta,augstums\nRīga,zaļš\nLiepāja,ķirsis\nCēsis,žņaugs\n"),
    ("cp1251", "город,высота\nМосква,красный\nКазань,зелёный\nОмск,синий\n"),
    ("koi8-r", "город,высота\nМосква,красный\nКазань,зелёный\nОмск,синий\n"),
    ("cp866", "город,высота\nМосква,красный\nКазань,зелёный\nОмск,синий\n"),
    ("cp1253", "πόλη,ύψος\nΑθήνα,κόκκινο\nΠάτρα,πράσινο\nΒόλος,κίτρινο\n"),
    ("cp1255", "עיר,גובה\nירושלים,אדום\nחיפה,ירוק\nאילת,כחול\n"),
    ("gb18030", "城市,高度,颜色\n北京,1,红色\n上海,2,绿色\n广州,3,蓝色\n"),
    ("big5", "城市,高度,顏色\n臺北,1,紅色\n高雄,2,綠色\n臺中,3,藍色\n"),
    ("cp932", "都市,高さ,いろ\n東京,1,あか\n大阪,2,みどり\n京都,3,あお\n"),
    ("euc_jp", "都市,高さ,いろ\n東京,1,あか\n大阪,2,みどり\n京都,3,あお\n"),
    ("cp949", "도시,높이,색\n서울,1,빨강\n부산,2,초록\n대구,3,파랑\n"),
]


@pytest.mark.parametrize(("encoding", "text"), TABLES)
def test_the_likeliest_encoding_reads_the_text(encoding: str, text: str) -> None:
    sample = text.encode(encoding)
    assert sample.decode(next(candidates(sample))) == text


@pytest.mark.parametrize(("encoding", "text"), TABLES)
def test_a_sample_may_end_within_a_character(encoding: str, text: str) -> None:
    sample = text.encode(encoding)
    cut = sample + text[0].encode(encoding)[:1]
    assert sample.decode(next(candidates(cut))) == text


def test_a_sign_alone_makes_no_russian_text_western() -> None:
    sample = "€ 5,площадь\n€ 6,дом\n€ 7,река\n".encode("cp1251")
    assert next(candidates(sample)) == "cp1251"


def test_no_word_goes_on_with_a_capital_or_a_sign() -> None:
    sample = "Москва,красный\nочень большой,красный\n".encode("cp1251")
    assert next(candidates(sample)) == "cp1251"


@pytest.mark.parametrize("text", ["T °C,µm\n1,2\n", "preis €\n1\n", "a,b – c\n"])
def test_signs_of_units_are_western(text: str) -> None:
    sample = text.encode("cp1252")
    assert sample.decode(next(candidates(sample))) == text


def test_every_byte_is_something_at_last() -> None:
    assert list(candidates(b"\x81,\xff\n"))[-2:] == ["cp1252", "latin-1"]


def test_the_words_to_be_judged_are_the_first_two_beyond_ascii() -> None:
    sample = "name,größe\nweiß,über,weiß\n".encode("cp1252")
    assert example(sample, "cp1252") == ", with words such as größe, weiß"
    assert example(b"a,b\n", "cp1252") == ""
    assert example("5 °C\n".encode("cp1252"), "cp1252") == ""
