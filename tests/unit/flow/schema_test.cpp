// Schemas: both forms, what they refuse, and what they say about values that do not match.
// SPDX-License-Identifier: MIT
#include "runtime/flow/schema.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace perilune;
using perilune::flow::compile_schema;
using perilune::flow::Schema;

namespace {

std::shared_ptr<const Schema> compiled(std::string_view schema) {
  const auto result = compile_schema(schema, "input");
  INFO(schema << "\n" << (result ? "" : result.error().message));
  REQUIRE(result.ok());
  return *result;
}

// What check() says: the text to go on with, or the message of the error.
std::string said(std::string_view schema, std::string_view json) {
  const auto result = compiled(schema)->check(json, "input");
  if (!result) CHECK(result.error().code == code::k_validation);
  return result ? *result : result.error().message;
}

std::string refused(std::string_view schema) {
  const auto result = compile_schema(schema, "input");
  INFO(schema);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == code::k_validation);
  return result.error().message;
}

constexpr const char* k_order =
    R"({"sku":"string","quantity":{"type":"integer","minimum":1,"default":1},"note":"string?",
        "address":{"street":"string"}})";

}  // namespace

TEST_CASE("The short form becomes a JSON Schema", "[flow]") {
  CHECK(nlohmann::json::parse(compiled(k_order)->json_schema()) == nlohmann::json::parse(R"({
    "type":"object","required":["address","sku"],"properties":{
      "sku":{"type":"string"},"quantity":{"type":"integer","minimum":1,"default":1},"note":{"type":"string"},
      "address":{"type":"object","required":["street"],"properties":{"street":{"type":"string"}}}}})"));
  CHECK(compiled("\"integer\"")->json_schema() == R"({"type":"integer"})");
  CHECK(compiled("\"any\"")->json_schema() == "{}");
  CHECK(compiled(R"({"type":"array","items":"string"})")->json_schema() ==
        R"({"items":{"type":"string"},"type":"array"})");
}

TEST_CASE("A field may say itself whether it must be there", "[flow]") {
  const auto* schema = R"({"a":{"type":"string","optional":true},"b":{"type":"string","required":false},
                           "c":{"type":"string?"},"d":{"type":"integer","default":3,"required":true}})";
  CHECK(nlohmann::json::parse(compiled(schema)->json_schema())["required"] == nlohmann::json::parse(R"(["d"])"));
  const auto* full = R"({"type":"object","properties":{"x":{"type":"string","required":true},"y":"number"}})";
  CHECK(nlohmann::json::parse(compiled(full)->json_schema())["required"] == nlohmann::json::parse(R"(["x"])"));
}

TEST_CASE("A value that matches comes back as it was written", "[flow]") {
  const auto* json = R"({ "sku":"a", "quantity":2.0, "address":{"street":"s","more":1}, "extra":1.50 })";
  CHECK(said(k_order, json) == json);
  CHECK(said("\"string?\"", "null") == "null");
  CHECK(said("\"any\"", "[1]") == "[1]");
}

TEST_CASE("Defaults fill absent fields at any depth", "[flow]") {
  CHECK(said(k_order, R"({"sku":"a","address":{"street":"s"}})") ==
        R"({"address":{"street":"s"},"quantity":1,"sku":"a"})");
  CHECK(
      said(R"({"items":{"type":"array","items":{"type":"object","properties":{"n":{"type":"integer","default":7}}}}})",
           R"({"items":[{},{"n":1}]})") == R"({"items":[{"n":7},{"n":1}]})");
  CHECK(said(R"({"o":{"type":"object","default":{},"properties":{"a":{"type":"string","default":"x"}}}})", "{}") ==
        R"({"o":{"a":"x"}})");
  CHECK(said(R"({"allOf":[{"$ref":"#/definitions/d"}],"definitions":{"d":{"properties":{"z":{"default":[1.0]}}}}})",
             "{}") == R"({"z":[1.0]})");
  CHECK(said(R"({"type":"object","additionalProperties":{"type":"object","properties":{"k":{"default":true}}}})",
             R"({"p":{}})") == R"({"p":{"k":true}})");
}

TEST_CASE("Defaults of a recursive schema that have no end are an error, not a crash", "[flow]") {
  CHECK(said(R"({"properties":{"child":{"$ref":"#","default":{}}}})", "{}") ==
        "input: the defaults of the schema have no end");
  CHECK(said(R"({"properties":{"a":{"$ref":"#","default":{}},"b":{"$ref":"#","default":{}}}})", "{}") ==
        "input: the defaults of the schema have no end");
}

TEST_CASE("A problem is told with path, value and rule", "[flow]") {
  const auto* schema = R"({"items":{"type":"array","items":{"quantity":"integer","type":"object",
      "properties":{"quantity":{"type":"integer","minimum":1}}}}})";
  CHECK(refused(schema).find("unknown keyword \"quantity\"") != std::string::npos);
  const auto* good =
      R"({"items":{"type":"array","items":{"type":"object","properties":{
            "quantity":{"type":"integer","minimum":1}}}}})";
  const auto result = compiled(good)->check(R"({"items":[{"quantity":1},{"quantity":2},{"quantity":0}]})", "input");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message == "input.items[2].quantity: 0 is below the minimum 1");
  CHECK(result.error().data ==
        R"({"problems":[{"path":"/items/2/quantity","rule":"is below the minimum 1","value":0}]})");
}

TEST_CASE("Each rule has words of its own", "[flow]") {
  CHECK(said(k_order, R"({"sku":5,"address":{"street":"s"}})") == "input.sku: 5 is not a string");
  CHECK(said("\"integer\"", "1.5") == "input: 1.5 is not an integer");
  CHECK(said("\"integer\"", "\"1\"") == "input: \"1\" is not an integer");
  CHECK(said("\"boolean\"", "1") == "input: 1 is not a boolean");
  CHECK(said("\"integer\"", "1e30") == "input: 1e+30 is beyond what an integer holds");
  CHECK(said("\"array\"", "{}") == "input: {} is not an array (in a script, an empty list is json.array{})");
  CHECK(said(R"({"type":["string","null"]})", "1") == "input: 1 is not a string or null");
  CHECK(said(R"({"type":"number","maximum":1e-9})", "0.5") == "input: 0.5 is above the maximum 1e-09");
  CHECK(said(R"({"type":"number","exclusiveMinimum":0})", "0") == "input: 0 is not above 0");
  CHECK(said(R"({"type":"number","exclusiveMaximum":2})", "2.5") == "input: 2.5 is not below 2");
  CHECK(said(R"({"enum":["red","green"]})", "\"gren\"") ==
        "input: \"gren\" is not one of \"red\", \"green\": did you mean 'green'?");
  CHECK(said(R"({"const":{"a":1}})", "2") == "input: 2 is not {\"a\":1}");
  CHECK(said(R"({"type":"string","minLength":1})", "\"\"") == "input: \"\" is shorter than 1 character");
  CHECK(said(R"({"type":"string","maxLength":2})", "\"äöü\"") == "input: \"äöü\" is longer than 2 characters");
  CHECK(said(R"({"type":"string","pattern":"^[a-z]+$"})", "\"A\"") ==
        "input: \"A\" does not match the pattern '^[a-z]+$'");
  CHECK(said(R"({"type":"array","minItems":2})", "[1]") == "input: [1] has fewer than 2 items");
  CHECK(said(R"({"type":"array","maxItems":1})", "[1,2]") == "input: [1,2] has more than 1 item");
  CHECK(said(R"({"type":"array","uniqueItems":true})", R"([{"a":1},2,{"a":1.0}])").find("has items that are equal") !=
        std::string::npos);
  CHECK(said(R"({"type":"array","items":["string"],"additionalItems":false})", R"(["a",1])") != R"(["a",1])");
  CHECK(said(R"({"type":"number","multipleOf":0.1})", "0.25") == "input: 0.25 is not a multiple of 0.1");
  CHECK(said(R"({"type":"object","maxProperties":0})", R"({"a":1})") == "input: {\"a\":1} has more than 0 fields");
  CHECK(said(R"({"not":{"type":"string"}})", "\"x\"") == "input: \"x\" is what it must not be (rule 'not')");
  CHECK(said(R"({"type":"array","contains":{"type":"string"}})", "[1]").find("no item of the kind") !=
        std::string::npos);
}

TEST_CASE("Missing and unknown fields come with the name that was perhaps meant", "[flow]") {
  CHECK(said(k_order, R"({"address":{"street":"s"}})") == "input.sku: required, but missing");
  CHECK(said(k_order, R"({"sku":"a","address":{"stret":"s"}})") ==
        "input.address.street: required, but missing: there is 'stret', is that it?");
  const auto* strict =
      R"({"type":"object","properties":{"timeout":"number","retry":"number"},"additionalProperties":false})";
  CHECK(said(strict, R"({"tmeout":1})") == "input.tmeout: unknown field, did you mean 'timeout'?");
  CHECK(said(strict, R"({"zzzzz":1})") == "input.zzzzz: unknown field: valid are retry, timeout");
  CHECK(said(R"({"properties":{"a b":{"type":"string"},"~/":{"type":"string"}}})", R"({"a b":1})") ==
        "input[\"a b\"]: 1 is not a string");
  CHECK(said(R"({"type":"object","dependencies":{"card":["zip"]}})", R"({"card":1})") ==
        "input.zip: missing: another field that is there needs it");
}

TEST_CASE("The deepest problem is told, and branches of anyOf are put together", "[flow]") {
  CHECK(said(R"({"anyOf":[{"type":"string"},{"type":"integer"}]})", "true") ==
        "input: true is not a string or an integer");
  CHECK(said(R"({"a":"string","b":{"c":{"d":"string"}}})", R"({"a":1,"b":{"c":{"d":2}}})") ==
        "input.b.c.d: 2 is not a string");
  CHECK(said(R"({"if":{"properties":{"k":{"const":1}}},"then":{"required":["x"]}})", R"({"k":1})") ==
        "input.x: required, but missing");
  CHECK(said(R"({"properties":{"x":false}})", R"({"x":1})") == "input.x: 1 is not allowed by the schema");
  CHECK(said(R"({"oneOf":[{"minimum":1},{"maximum":5}]})", "3") ==
        "input: 3 matches more than one of the schemas of 'oneOf'");
  CHECK(said(R"({"type":"object","propertyNames":{"pattern":"^a"}})", R"({"b":1})") ==
        "input: {\"b\":1} is not allowed by the schema");
}

TEST_CASE("A whole float counts as an integer, in values and in schemas", "[flow]") {
  CHECK(said("\"integer\"", "2.0") == "2.0");
  CHECK(said(R"({"type":"string","minLength":2.0})", "\"ab\"") == "\"ab\"");
  CHECK(said(R"({"enum":[1]})", "1.0") == "1.0");
  CHECK(said(R"({"type":"integer","multipleOf":2})", "4.0") == "4.0");
  CHECK(said(R"({"type":"number","multipleOf":1})", "2.5") == "input: 2.5 is not a multiple of 1");
  CHECK(said(R"({"type":"number","multipleOf":0.1})", "0.3") == "0.3");
}

TEST_CASE("Long values are shortened in messages, at the end of a character", "[flow]") {
  const std::string text = "\"" + std::string(75, 'a') + "ää" + std::string(1000, 'b') + "\"";
  const std::string message = said("\"integer\"", text);
  CHECK(message == "input: \"" + std::string(75, 'a') + "... is not an integer");
}

TEST_CASE("Formats are checked", "[flow]") {
  const auto good = [](const char* format, const std::string& text) {
    const std::string json = nlohmann::json(text).dump();
    return said(std::string(R"({"type":"string","format":")") + format + "\"}", json) == json;
  };
  CHECK(good("duration", "1h30m"));
  CHECK_FALSE(good("duration", "soon"));
  CHECK(good("date-time", "2026-11-20T16:52:45.5+02:00"));
  CHECK_FALSE(good("date-time", "2026-02-30T16:52:45Z"));
  CHECK_FALSE(good("date-time", "2026-11-20"));
  CHECK(good("date", "2024-02-29"));
  CHECK_FALSE(good("date", "2023-02-29"));
  CHECK(good("time", "23:59:60Z"));
  CHECK_FALSE(good("time", "24:00:00Z"));
  CHECK(good("uri", "https://host/path?q=1"));
  CHECK_FALSE(good("uri", "not a uri"));
  CHECK_FALSE(good("uri", "/path"));
  CHECK(good("file", "a/b.txt"));
  CHECK_FALSE(good("file", ""));
  CHECK(good("email", "anything"));
  CHECK(said(R"({"type":"string","format":"duration"})", "\"x\"") ==
        "input: \"x\" is not a duration such as '5s' or '1h30m'");
}

TEST_CASE("An artifact is an object with a name", "[flow]") {
  CHECK(said(R"({"report":"artifact"})", R"({"report":{"name":"r","size":5}})") ==
        R"({"report":{"name":"r","size":5}})");
  CHECK(said(R"({"report":"artifact"})", R"({"report":{}})") == "input.report.name: required, but missing");
  CHECK(said(R"({"report":"artifact"})", R"({"report":"r"})") == "input.report: \"r\" is not an object");
}

TEST_CASE("Patterns take linear time, and texts over 64 KiB are refused", "[flow]") {
  const std::string evil = "\"" + std::string(60'000, 'a') + "!\"";
  CHECK(said(R"({"type":"string","pattern":"^(a+)+$"})", evil).find("does not match the pattern '^(a+)+$'") !=
        std::string::npos);
  CHECK(said(R"({"type":"string","pattern":"^(a|b)*!$"})", evil) == evil);
  const std::string huge = "\"" + std::string(70'000, 'a') + "\"";
  CHECK(said(R"({"type":"string","pattern":"a"})", huge).find("too long to be matched against the pattern") !=
        std::string::npos);
  CHECK(said(R"({"type":"string","pattern":"b|c$"})", "\"abcd\"") == "\"abcd\"");
  CHECK(said(R"({"type":"string","pattern":"^b|^c$"})", "\"abc\"") != "\"abc\"");
}

TEST_CASE("References work, also those of a schema to itself", "[flow]") {
  const auto* tree = R"({"definitions":{"node":{"type":"object","required":["v"],"properties":{"v":{"type":"integer"},
      "next":{"$ref":"#/definitions/node"}}}},"$ref":"#/definitions/node"})";
  CHECK(said(tree, R"({"v":1,"next":{"v":2}})") == R"({"v":1,"next":{"v":2}})");
  CHECK(said(tree, R"({"v":1,"next":{"v":2,"next":{"v":"x"}}})") == "input.next.next.v: \"x\" is not an integer");
  CHECK(said(R"({"properties":{"a":{"$ref":"#/definitions/n","maximum":5}},"definitions":{"n":{"type":"integer"}}})",
             R"({"a":6})") == "input.a: 6 is above the maximum 5");
}

TEST_CASE("A schema that is nonsense is refused with the place and what would be right", "[flow]") {
  CHECK(refused(R"({"sku":"strng"})") == "input.sku: unknown type 'strng', did you mean 'string'?");
  CHECK(
      refused(R"({"sku":"zzzz"})") ==
      "input.sku: unknown type 'zzzz': valid are string, integer, number, boolean, object, array, null, any, artifact");
  CHECK(refused("\"strng\"") == "input: unknown type 'strng', did you mean 'string'?");
  CHECK(refused(R"({"a":{"b":{"type":"integer","minimum":"1"}}})") ==
        "input.a.b: 'minimum' must be a number, got \"1\"");
  CHECK(refused(R"({"n":{"type":"integer","minimun":1}})") ==
        "input.n: unknown keyword 'minimun' of a schema: did you mean 'minimum'?");
  CHECK(refused(R"({"n":{"type":"integer","default":"x"}})") == "input.n: the default \"x\" is not an integer");
  CHECK(refused(R"({"n":{"enum":[1,2],"default":3}})") == "input.n: the default 3 is not one of the values of 'enum'");
  CHECK(refused(R"({"n":{"default":3}})").find("input.n.default: expected the name of a type or a table, got 3") == 0);
  CHECK(refused(R"({"type":"string","format":"durtion"})").find("did you mean 'duration'?") != std::string::npos);
  CHECK(refused(R"({"type":"string","pattern":"("})").find("must be a regular expression") != std::string::npos);
  CHECK(refused(R"({"type":"string","pattern":"a)(b"})").find("must be a regular expression") != std::string::npos);
  CHECK(refused(R"({"type":"string","pattern":"(a)\\1"})").find("without back-references") != std::string::npos);
  CHECK(refused(R"({"type":"array","prefixItems":[]})").find("newer than JSON Schema draft-07") != std::string::npos);
  CHECK(refused(R"({"type":"number","multipleOf":0})") == "input: 'multipleOf' must be a number above 0, got 0");
  CHECK(refused(R"({"type":"integer","multipleOf":18446744073709551615})").find("'multipleOf' must be") == 7);
  CHECK(refused(R"({"type":"string","minLength":-1})").find("must be a whole number") != std::string::npos);
  CHECK(refused(R"({"type":"string","minLength":1e30})").find("must be a whole number") != std::string::npos);
  CHECK(refused(R"({"type":"object","required":"a"})").find("must be a list of names") != std::string::npos);
  CHECK(refused(R"({"anyOf":[{"type":"string"},{"typ":"x"}]})").find("input.anyOf[1]: unknown keyword 'typ'") == 0);
  CHECK(refused("5").find("input: expected a schema") == 0);
  CHECK(refused("{").find("input: not JSON") == 0);
  CHECK(refused(std::string(300, '[')) == "input: nested deeper than 256 levels");
}

TEST_CASE("References that lead nowhere, away, or round and round are refused", "[flow]") {
  CHECK(refused(R"({"$ref":"#/definitions/x"})") == "input: the reference '#/definitions/x' leads to no schema");
  CHECK(refused(R"({"$ref":"http://host/schema.json"})").find("must lead to a place in the same schema") !=
        std::string::npos);
  CHECK(refused(R"({"$ref":"#"})").find("leads back to itself") != std::string::npos);
  CHECK(refused(R"({"allOf":[{"$ref":"#"}]})").find("leads back to itself") != std::string::npos);
  CHECK(refused(R"({"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"anyOf":[{"$ref":"#/definitions/a"}]}},
                    "properties":{"x":{"$ref":"#/definitions/a"}}})")
            .find("leads back to itself") != std::string::npos);
}

TEST_CASE("Values that are no JSON or nested too deeply are refused", "[flow]") {
  CHECK(said("\"any\"", "{") == "input: not JSON");
  CHECK(said("\"any\"", std::string(300, '[') + std::string(300, ']')) == "input: nested deeper than 256 levels");
}

TEST_CASE("A field called type, or with odd names, can be described with properties", "[flow]") {
  CHECK(refused(R"({"type":"string","name":"string"})").find("if 'type' is meant as the name of a field") !=
        std::string::npos);
  CHECK(said(R"({"properties":{"type":"string","name":"string"}})", R"({"type":1})") ==
        "input.type: 1 is not a string");
}

TEST_CASE("Any integer within its bounds passes, any other is told its bound", "[flow]") {
  const auto schema = compiled(R"({"n":{"type":"integer","minimum":-100,"maximum":100}})");
  REQUIRE(rc::check([&] {
    const int n = *rc::gen::inRange(-200, 201);
    const std::string json = "{\"n\":" + std::to_string(n) + "}";
    const auto result = schema->check(json, "input");
    RC_ASSERT(result.ok() == (n >= -100 && n <= 100));
    if (result) RC_ASSERT(*result == json);
    if (!result)
      RC_ASSERT(result.error().message.find(n < 0 ? "below the minimum -100" : "above the maximum 100") !=
                std::string::npos);
  }));
}

TEST_CASE("Compiling any text gives a schema or an error, and what compiled reads back the same", "[flow]") {
  REQUIRE(rc::check([] {
    const auto words = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "{", "}", "[", "]", ",", ":", "\"type\"", "\"string\"", "\"items\"", "\"a\"", "\"required\"", "\"$ref\"",
        "\"#\"", "1", "true", "\"properties\"", "\"default\"", "\"anyOf\""));
    std::string text;
    for (const std::string& word : words) text += word;
    const auto schema = compile_schema(text, "input");
    if (!schema) return;
    const auto again = compile_schema((*schema)->json_schema(), "input");
    RC_ASSERT(again.ok());
  }));
}
